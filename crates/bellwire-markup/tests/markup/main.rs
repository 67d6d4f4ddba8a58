//! What a text becomes.

use bellwire::Html;
use bellwire_markup::Text;

mod articles;
mod dangers;
mod drawing;

fn render(text: &str) -> Html {
    Text::message(text).html()
}

fn plain(text: &str, chars: usize) -> String {
    Text::message(text).plain(chars)
}
