mod articles;
mod dangers;
mod drawing;

fn render(text: &str) -> bellwire::Html {
    super::Text::message(text).html()
}

fn plain(text: &str, chars: usize) -> String {
    super::Text::message(text).plain(chars)
}
