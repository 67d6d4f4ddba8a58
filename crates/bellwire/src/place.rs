//! A place among the connections, taken before there is one.

use crate::layer::Channel;
use crate::socket::Socket;
use crate::sync::Arc;
use crate::websocket::Wire;
use crate::{Bellwire, Dialect, Scope, UpgradeRefused};

/// Counts towards the limits and can be kicked; given back when no connection comes of it.
pub(crate) struct Place {
    pub(crate) bellwire: Bellwire,
    pub(crate) channel: Arc<Channel>,
    pub(crate) scope: Scope,
    used: bool,
}

impl Place {
    /// Takes a place, unless this person or address has too many.
    pub(crate) fn take(bellwire: Bellwire, scope: Scope) -> Result<Self, UpgradeRefused> {
        bellwire.keep();
        let channel = bellwire.layer().connect(&scope, bellwire.limits(), bellwire.now());
        let place = Self { bellwire, channel, scope, used: false };
        // Counted with this one in it, so that many at once do not all see room for one.
        match place.bellwire.exceeded_by(&place.scope) {
            Some(most) => Err(UpgradeRefused::TooMany(most)),
            None => Ok(place),
        }
    }

    /// The socket that takes the place, and gives it back when it closes.
    pub(crate) fn socket(mut self, wire: Box<dyn Wire>, dialect: Dialect) -> Socket {
        self.used = true;
        Socket::new(
            wire,
            self.channel.clone(),
            self.bellwire.clone(),
            std::mem::take(&mut self.scope),
            dialect,
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.used {
            self.bellwire.layer().disconnect(&self.channel, &[]);
        }
    }
}
