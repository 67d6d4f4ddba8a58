//! The live counter of the home page.

use bellwire_browser_tests::Site;

#[tokio::test]
async fn ringing_the_bell_in_one_window_updates_another() {
    let site = Site::open().await;
    let (ada, ben) = (site.person("Ada").await, site.person("Ben").await);
    ada.visit("/").await;
    ada.is_connected().await;
    ada.reads("#windows", "1").await;
    ben.visit("/").await;
    ben.is_connected().await;
    ada.reads("#windows", "2").await;

    // The animation ends by itself, so its start is recorded.
    let record = "addEventListener('animationstart', (event) => { window.swung ||= event.animationName === 'swing' }); return true";
    for person in [&ada, &ben] {
        person.until("could be watched", record, &[]).await;
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
