//! The reservation of a connection, made before the connection exists.

use crate::outbound::Channel;
use crate::sync::Arc;
use crate::transport::Transport;
use crate::{Bellwire, Dialect, Scope, Socket, UpgradeRejection};

/// A reserved connection: it counts toward the limits and can be kicked. It is released on drop
/// unless a socket was made from it.
pub(crate) struct Reservation {
    pub(crate) bellwire: Bellwire,
    pub(crate) channel: Arc<Channel>,
    pub(crate) scope: Scope,
    used: bool,
}

impl Reservation {
    /// Makes a reservation.
    ///
    /// # Errors
    /// [`UpgradeRejection::TooMany`] if this person or address has too many sockets.
    pub(crate) fn take(bellwire: Bellwire, scope: Scope) -> Result<Self, UpgradeRejection> {
        bellwire.ensure_heartbeat();
        let channel = bellwire.layer().connect(&scope, bellwire.limits(), bellwire.now());
        let reservation = Self { bellwire, channel, scope, used: false };
        // The count includes this reservation, so concurrent ones cannot all fit under the limit.
        match reservation.bellwire.exceeded_by(&reservation.scope) {
            Some(limit) => Err(UpgradeRejection::TooMany(limit)),
            None => Ok(reservation),
        }
    }

    /// Turns the reservation into a socket, which releases it when it closes.
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
