//! [`Builder`]: the settings of a [`Bellwire`] handle.

use std::fmt;
#[cfg(feature = "js")]
use std::path::PathBuf;

use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{Bellwire, Inner};
use crate::request::{InvalidOrigin, Origins};
use crate::sync::atomic::AtomicBool;
use crate::sync::{Arc, OnceLock};
use crate::{Layer, Limits};

/// The default name of the setting that allows more origins.
const SETTING: &str = "`Bellwire::builder(…).origin(…)`";

type AcceptsOrigin = std::sync::Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Builds a [`Bellwire`].
pub struct Builder {
    addresses: Vec<String>,
    accepts_origin: Option<AcceptsOrigin>,
    native_clients: bool,
    setting: String,
    limits: Limits,
    layer: Option<Layer>,
    #[cfg(feature = "js")]
    asset_folder: Option<PathBuf>,
}

impl Builder {
    pub(super) fn new(address: String) -> Self {
        Self {
            addresses: vec![address],
            accepts_origin: None,
            native_clients: false,
            setting: SETTING.into(),
            limits: Limits::default(),
            layer: None,
            #[cfg(feature = "js")]
            asset_folder: None,
        }
    }

    /// Serves the modules of bellwire.js from this folder (`assets/src` of the crate) in place of
    /// the embedded script, for work on them.
    #[cfg(feature = "js")]
    #[must_use]
    pub fn assets_from(mut self, folder: impl Into<PathBuf>) -> Self {
        self.asset_folder = Some(folder.into());
        self
    }

    /// Adds an origin whose pages may open connections: `https://chat.example`, or every sub-domain
    /// of one: `https://*.chat.example`.
    #[must_use]
    pub fn origin(mut self, address: impl Into<String>) -> Self {
        self.addresses.push(address.into());
        self
    }

    /// Also allows the origins for which `accepts` returns true: those of tenants, for example. It
    /// is called with the header as the browser sent it, at each handshake, and must compare the
    /// whole of it.
    #[must_use]
    pub fn origin_if(mut self, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.accepts_origin = Some(std::sync::Arc::new(accepts));
        self
    }

    /// Also allows programs that send neither an `Origin` nor a cookie, such as curl, bots and
    /// mobile apps. By default only pages may open connections.
    #[must_use]
    pub fn native_clients(mut self) -> Self {
        self.native_clients = true;
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
        let origins = Origins::new(self.addresses.iter().map(String::as_str), &self.setting)?
            .or_if(self.accepts_origin)
            .or_native_clients(self.native_clients);
        Ok(Bellwire(Arc::new(Inner {
            layer: self.layer.unwrap_or_else(Layer::memory),
            limits: self.limits,
            origins,
            tasks: TaskTracker::new(),
            stopping: AtomicBool::new(false),
            started: Instant::now(),
            heartbeat: OnceLock::new(),
            #[cfg(feature = "js")]
            asset_folder: self.asset_folder,
        })))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("addresses", &self.addresses)
            .field("native_clients", &self.native_clients)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
