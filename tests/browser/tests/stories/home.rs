//! The first page is live at once.

use bellwire_browser_tests::Stage;

#[tokio::test]
async fn a_bell_rung_in_one_window_rings_in_another() {
    let stage = Stage::open().await;
    let (ada, ben) = (stage.person("Ada").await, stage.person("Ben").await);
    ada.visit("/").await;
    ada.is_connected().await;
    ada.reads("#windows", "1").await;
    ben.visit("/").await;
    ben.is_connected().await;
    ada.reads("#windows", "2").await;

    // What swings comes to rest again: so it is noted for the test.
    let note = "addEventListener('animationstart', (event) => { window.swung ||= event.animationName === 'swing' }); return true";
    for person in [&ada, &ben] {
        person.until("could be watched", note, &[]).await;
    }
    ada.presses("#bell-form button").await;
    for person in [&ada, &ben] {
        person.reads("#rings", "1").await;
        person.until("saw the bell swing", "return window.swung", &[]).await;
    }

    ben.presses("#bell-form button").await;
    ada.reads("#rings", "2").await;
    ben.visit("/accounts/login/").await;
    ada.reads("#windows", "1").await;
}
