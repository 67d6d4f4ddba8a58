use axum::Router;
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;

async fn page() -> Html<&'static str> {
    Html("<!doctype html><title>Echo</title><h1>Hello!</h1>")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8000".into());
    let listener = TcpListener::bind(address).await?;
    eprintln!("Open http://{}/", listener.local_addr()?);
    let routes = Router::new().route("/", get(page));
    Ok(axum::serve(listener, routes).await?)
}
