//! Browser assets of the framework: `bellwire.js`, its modules, and the htmx that they extend.

/// All files, as (path, bytes). Serve them under one folder, because `bellwire.js` imports the
/// others by relative paths.
///
/// ```
/// let paths: Vec<_> = bellwire::assets::files().map(|(path, _)| path).collect();
/// assert!(paths.contains(&"bellwire.js") && paths.contains(&"htmx.js"));
/// ```
pub fn files() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().copied()
}

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../assets/", $path)))),*]
    };
}

const FILES: &[(&str, &[u8])] = embedded![
    "bellwire.js",
    "bellwire/controls.js",
    "bellwire/drafts.js",
    "bellwire/forms.js",
    "bellwire/frames.js",
    "bellwire/keep.js",
    "bellwire/links.js",
    "bellwire/outbox.js",
    "bellwire/page.js",
    "bellwire/person.js",
    "bellwire/post.js",
    "bellwire/socket.js",
    "bellwire/state.js",
    "bellwire/stream.js",
    "bellwire/where.js",
    "bellwire/wrong.js",
    "htmx.js",
    "licenses/htmx.txt",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn paths_below(folder: &Path, root: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| match path.is_dir() {
                true => paths_below(&path, root),
                false => vec![path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()],
            })
            .collect()
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
        let mut found = paths_below(&root, &root);
        found.sort();
        assert_eq!(found, files().map(|(path, _)| path.to_owned()).collect::<Vec<_>>());
    }
}
