//! [`Html`] from template engines, which escape what they show.

#[cfg(any(feature = "askama", feature = "maud", feature = "minijinja"))]
use crate::Html;

#[cfg(feature = "askama")]
impl Html {
    /// Renders a template of askama, whose name ends with `.html`.
    ///
    /// # Errors
    /// If rendering fails: a filter or a `Display` in it fails.
    pub fn from_template(template: &impl askama::Template) -> Result<Self, askama::Error> {
        Ok(Self::trusted(template.render()?))
    }
}

/// Templates of askama show `Html` without escaping it a second time.
#[cfg(feature = "askama")]
impl askama::filters::HtmlSafe for Html {}

/// The markup of maud, which escapes by its types.
#[cfg(feature = "maud")]
impl From<maud::Markup> for Html {
    fn from(markup: maud::Markup) -> Self {
        Self::trusted(markup.into_string())
    }
}

/// Markup of maud shows `Html` without escaping it a second time.
#[cfg(feature = "maud")]
impl maud::Render for Html {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(self.as_str());
    }
}

#[cfg(feature = "minijinja")]
impl Html {
    /// Renders a template of minijinja.
    ///
    /// # Errors
    /// If rendering fails, or if the template does not escape HTML: its name does not end with
    /// `.html`, or the environment says otherwise.
    pub fn from_minijinja(
        template: &minijinja::Template<'_, '_>,
        context: impl serde::Serialize,
    ) -> Result<Self, minijinja::Error> {
        let captured = template.render_captured(context)?;
        match captured.state().auto_escape() {
            minijinja::AutoEscape::Html => Ok(Self::trusted(captured.into_output())),
            _ => Err(minijinja::Error::new(
                minijinja::ErrorKind::InvalidOperation,
                "the template does not escape HTML; give it a name that ends with `.html`",
            )),
        }
    }
}

#[cfg(all(test, feature = "askama", feature = "maud", feature = "minijinja"))]
mod tests {
    use super::*;

    const TEXT: &str = "<b>\"Ada\" & Ben</b>";
    const ESCAPED: &str = "&lt;b&gt;";

    #[derive(askama::Template)]
    #[template(source = "<i>{{ text }}{{ html }}</i>", ext = "html")]
    struct Greeting<'a> {
        text: &'a str,
        html: &'a Html,
    }

    #[test]
    fn each_engine_escapes_text_and_shows_html_as_it_is() {
        let html = Html::trusted("<u>x</u>");
        let askama = Html::from_template(&Greeting { text: TEXT, html: &html }).unwrap();
        let maud = Html::from(maud::html! { i { (TEXT) (html) } });
        for rendered in [askama, maud] {
            let rendered = rendered.as_str();
            assert!(rendered.contains("<u>x</u>"), "{rendered}");
            assert!(!rendered.contains("<b>") && rendered.starts_with("<i>&"), "{rendered}");
        }
        let mut environment = minijinja::Environment::new();
        environment.add_template("greeting.html", "<i>{{ text }}</i>").unwrap();
        environment.add_template("greeting.txt", "<i>{{ text }}</i>").unwrap();
        let render = |name| {
            let template = environment.get_template(name).unwrap();
            Html::from_minijinja(&template, minijinja::context! { text => TEXT })
        };
        assert!(render("greeting.html").unwrap().as_str().contains(ESCAPED));
        assert!(render("greeting.txt").unwrap_err().to_string().contains("does not escape"));
    }
}
