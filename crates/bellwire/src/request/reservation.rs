//! The reservation of a connection, made before the connection exists.

use crate::Bellwire;
use crate::consumer::RawSocket;
use crate::outbound::{Channel, Reader};
use crate::request::scope::Scope;
use crate::request::upgrade_rejection::UpgradeRejection;
use crate::sync::Arc;
use crate::transport::Transport;

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
            Some(limit) => {
                reservation.bellwire.layer().counters().refused();
                tracing::warn!(
                    scope = %reservation.scope,
                    limit,
                    "A connection was refused: its person or address has too many. \
                     `Limits::sockets_per_person` and `Limits::sockets_per_address` allow more"
                );
                Err(UpgradeRejection::TooMany(limit))
            }
            None => Ok(reservation),
        }
    }

    /// Turns the reservation into a socket, which releases it when it closes.
    pub(crate) fn socket(mut self, transport: Box<dyn Transport>, reader: Reader) -> RawSocket {
        self.used = true;
        RawSocket::new(
            transport,
            self.channel.clone(),
            self.bellwire.clone(),
            std::mem::take(&mut self.scope),
            reader,
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
