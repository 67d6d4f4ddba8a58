//! The results of reading a text.

use bellwire::Html;
use bellwire_markup::Text;

mod articles;
mod dangers;
mod drawing;
mod folding;
mod invisible;

fn render(text: &str) -> Html {
    Text::message(text).html()
}

fn plain(text: &str, chars: usize) -> String {
    Text::message(text).plain(chars)
}
