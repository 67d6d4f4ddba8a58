//! Patches as JSON, for other processes and for storage.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::html::patch::Command;
use crate::{Html, Patch, Swap};

/// A patch as it is stored. Only processes of the same site write it, so its HTML is trusted.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredPatch {
    swap: Swap,
    selector: Cow<'static, str>,
    html: String,
    url: Option<String>,
    title: Option<String>,
    focus: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json_text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_last: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<Box<Command>>,
}

impl Patch {
    /// The patch as JSON, for a table of changes.
    ///
    /// # Errors
    /// If it cannot be serialized, which does not happen.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&StoredPatch::from(self))
    }

    /// Reads a patch that [`to_json`](Self::to_json) wrote. Its HTML is [trusted](Html::trusted):
    /// never pass what came from a browser.
    ///
    /// # Errors
    /// If the text is no such JSON.
    pub fn trusted_json(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json).map(|stored: StoredPatch| stored.into())
    }
}

impl From<&Patch> for StoredPatch {
    fn from(patch: &Patch) -> Self {
        let Patch { swap, selector, html, url, title, focus, json_text, keep_last, command } =
            patch.clone();
        let html = html.as_str().to_owned();
        Self { swap, selector, html, url, title, focus, json_text, keep_last, command }
    }
}

impl From<StoredPatch> for Patch {
    fn from(stored: StoredPatch) -> Self {
        let StoredPatch { swap, selector, html, url, title, focus, json_text, keep_last, command } =
            stored;
        let html = Html::trusted(html);
        Self { swap, selector, html, url, title, focus, json_text, keep_last, command }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_read_as_it_was_written() {
        let full = Patch::append("#a", Html::text("<b>")).url("/x").title("x").focus("#x");
        for patch in [
            full.json_text("x").keep_last(5),
            Patch::event("a:b", serde_json::json!({ "c": [1] })),
            Patch::redirect("/x"),
            Patch::reload(),
        ] {
            assert_eq!(Patch::trusted_json(&patch.to_json().unwrap()).unwrap(), patch);
        }
        assert!(Patch::trusted_json("{}").is_err());
    }
}
