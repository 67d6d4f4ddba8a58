//! Tests of parsing and rendering text.

use bellwire::Html;
use bellwire_markup::Text;

mod articles;
mod hostile;
mod rendering;
mod folding;
mod invisible;

fn render(text: &str) -> Html {
    Text::message(text).html()
}

fn plain(text: &str, chars: usize) -> String {
    Text::message(text).plain(chars)
}
