//! The errors of the auction, once for pages, forms and connections.

use axum::response::{IntoResponse, Response};
use bellwire::{Error, Refusal};

/// An error of the auction.
#[derive(Debug, Refusal)]
pub(crate) enum AuctionError {
    #[refusal("There is no such lot.", status = 404)]
    NoLot,
    #[refusal("Please sign in to bid.", status = 401)]
    SignedOut,
    #[refusal("Type your name.", field = "name")]
    NoName,
    #[refusal("Bid a whole number of pounds.", field = "amount")]
    NoAmount,
    #[refusal("Bid at least {least}.", field = "amount")]
    TooLow { least: i64 },
    #[refusal(other)]
    Other(Error),
}

impl IntoResponse for AuctionError {
    fn into_response(self) -> Response {
        Error::from(self).into_response()
    }
}
