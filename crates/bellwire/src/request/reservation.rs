//! A place among the connections, taken before there is one.

use crate::outbound::Channel;
use crate::sync::Arc;
use crate::transport::Transport;
use crate::{Bellwire, Dialect, Scope, Socket, UpgradeRejection};

/// Counts towards the limits and can be kicked; given back when no connection comes of it.
pub(crate) struct Reservation {
    pub(crate) bellwire: Bellwire,
    pub(crate) channel: Arc<Channel>,
    pub(crate) scope: Scope,
    used: bool,
}

impl Reservation {
    /// Takes a place, unless this person or address has too many.
    pub(crate) fn take(bellwire: Bellwire, scope: Scope) -> Result<Self, UpgradeRejection> {
        bellwire.ensure_heartbeat();
        let channel = bellwire.layer().connect(&scope, bellwire.limits(), bellwire.now());
        let reservation = Self { bellwire, channel, scope, used: false };
        // Counted with this one in it, so that many at once do not all see room for one.
        match reservation.bellwire.exceeded_by(&reservation.scope) {
            Some(most) => Err(UpgradeRejection::TooMany(most)),
            None => Ok(reservation),
        }
    }

    /// The socket that takes the place, and gives it back when it closes.
    pub(crate) fn socket(mut self, transport: Box<dyn Transport>, dialect: Dialect) -> Socket {
        self.used = true;
        Socket::new(
            transport,
            self.channel.clone(),
            self.bellwire.clone(),
            std::mem::take(&mut self.scope),
            dialect,
        )
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if !self.used {
            self.bellwire.layer().disconnect(&self.channel, &[]);
        }
    }
}
