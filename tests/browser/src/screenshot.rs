use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::Person;
use crate::programs;

/// The colour scheme that the person's system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Person {
    /// Sets the size of the window in CSS pixels. A narrow one emulates a phone.
    pub async fn sets_window_size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.execute("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the colour scheme that the person's system prefers.
    pub async fn prefers(&self, scheme: ColorScheme) {
        let value = if scheme == ColorScheme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.execute("Emulation.setEmulatedMedia", features).await;
    }

    /// Takes a screenshot of the page if `BELLWIRE_TEST_SCREENSHOTS` is set.
    pub async fn takes_screenshot(&self, name: &str, width: u32, scheme: ColorScheme) {
        let Some(folder) = programs::screenshots() else { return };
        self.sets_window_size(width, 844).await;
        self.prefers(scheme).await;
        std::fs::create_dir_all(&folder).expect("the folder for screenshots can be created");
        let file = format!("{name}-{width}-{scheme:?}.png").to_lowercase();
        let screenshot = self.execute("Page.captureScreenshot", json!({})).await;
        let screenshot =
            STANDARD.decode(screenshot["data"].as_str().unwrap_or_default()).expect("a screenshot");
        std::fs::write(folder.join(file), screenshot).expect("the screenshot can be written");
        self.execute("Emulation.clearDeviceMetricsOverride", json!({})).await;
    }
}
