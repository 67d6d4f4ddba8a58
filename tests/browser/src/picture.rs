use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::Person;
use crate::programs;

/// What the person's system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Person {
    /// Gives the page the width of a window or a phone, in CSS pixels.
    pub async fn has_a_window(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the colours the person's system asks for.
    pub async fn prefers(&self, scheme: Scheme) {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.tell("Emulation.setEmulatedMedia", features).await;
    }

    /// Takes a picture of the page, when the run has been told where to keep them.
    pub async fn takes_a_picture(&self, name: &str, width: u32, scheme: Scheme) {
        let Some(folder) = programs::screenshots() else { return };
        self.has_a_window(width, 844).await;
        self.prefers(scheme).await;
        std::fs::create_dir_all(&folder).expect("the folder for pictures can be made");
        let file = format!("{name}-{width}-{scheme:?}.png").to_lowercase();
        let picture = self.tell("Page.captureScreenshot", json!({})).await;
        let picture =
            STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("a picture");
        std::fs::write(folder.join(file), picture).expect("a picture can be kept");
        self.tell("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}
