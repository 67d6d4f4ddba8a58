//! [`Builder`]: the settings of a [`Bellwire`] handle.

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{Bellwire, Inner};
use crate::sync::atomic::AtomicBool;
use crate::sync::{Arc, OnceLock};
use crate::{InvalidOrigin, Layer, Limits, Origins};

/// The default name of the setting that allows more origins.
const SETTING: &str = "`Bellwire::builder(…).origin(…)`";

/// Builds a [`Bellwire`].
#[derive(Debug)]
pub struct Builder {
    addresses: Vec<String>,
    setting: String,
    limits: Limits,
    layer: Option<Layer>,
}

impl Builder {
    pub(super) fn new(address: String) -> Self {
        Self {
            addresses: vec![address],
            setting: SETTING.into(),
            limits: Limits::default(),
            layer: None,
        }
    }

    /// Adds an origin whose pages may open sockets.
    #[must_use]
    pub fn origin(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// Sets the name under which a refusal mentions the setting that allows more origins.
    #[must_use]
    pub fn origin_setting(mut self, name: impl Into<String>) -> Self {
        self.setting = name.into();
        self
    }

    /// Sets the limits of each connection. The default is [`Limits::default`].
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the channel layer. The default is [`Layer::memory`], which serves one process.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layer = Some(layer);
        self
    }

    /// Builds the handle.
    ///
    /// # Errors
    /// Returns [`InvalidOrigin`] if an address is not an `http` or `https` URL.
    pub fn build(self) -> Result<Bellwire, InvalidOrigin> {
        let origins = Origins::new(self.addresses.iter().map(String::as_str), &self.setting)?;
        Ok(Bellwire(Arc::new(Inner {
            layer: self.layer.unwrap_or_else(Layer::memory),
            limits: self.limits,
            origins,
            tasks: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            heartbeat: OnceLock::new(),
        })))
    }
}
