use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

const SOON: Duration = Duration::from_millis(700);
const NEVER: Duration = Duration::from_millis(1300);

/// Does something to a directory that is watched, and tells whether that was seen in time.
fn seen(path: impl Fn(&Path) -> PathBuf, prepare: impl Fn(&Path), change: impl Fn(&Path), within: Duration) -> bool {
    let directory = tempfile::tempdir().unwrap();
    prepare(directory.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut watch = Watch::new(vec![path(directory.path())], false);
        // The file system's clock ticks every few milliseconds.
        sleep(Duration::from_millis(20)).await;
        change(directory.path());
        timeout(within, watch.changed()).await.is_ok()
    })
}

fn write(name: &'static str, text: &'static str) -> impl Fn(&Path) {
    move |directory| fs::write(directory.join(name), text).unwrap()
}

fn itself(path: &Path) -> PathBuf {
    path.to_owned()
}

#[test]
fn files_written_replaced_and_removed_are_seen() {
    assert!(seen(itself, |_| {}, write("a.yaml", "a"), SOON));
    assert!(seen(itself, write("a.yaml", "a"), write("a.yaml", "bb"), SOON));
    assert!(seen(
        itself,
        write("a.yaml", "a"),
        |path| fs::remove_file(path.join("a.yaml")).unwrap(),
        SOON
    ));
    // Nor need its length or its time tell.
    let quietly = |path: &Path| {
        let file = fs::File::options().write(true).open(path.join("a.yaml")).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        (&file).write_all(b"b").unwrap();
        file.set_modified(modified).unwrap();
    };
    assert!(seen(itself, write("a.yaml", "a"), quietly, SOON));
    let unlock = |path: &Path| fs::set_permissions(path.join("a.yaml"), Permissions::from_mode(0o600)).unwrap();
    assert!(seen(itself, write("a.yaml", "a"), unlock, SOON));
    let rename = |path: &Path| {
        fs::write(path.join(".a.yaml.swp"), "b").unwrap();
        fs::rename(path.join(".a.yaml.swp"), path.join("a.yaml")).unwrap();
    };
    assert!(seen(itself, write("a.yaml", "a"), rename, SOON));
    assert!(seen(|path| path.join("a.yaml"), write("a.yaml", "a"), rename, SOON));
}

#[test]
fn what_is_no_manifest_is_not_seen() {
    assert!(!seen(itself, write("a.yaml", "a"), write("a.txt", "b"), NEVER));
    assert!(!seen(itself, write("a.yaml", "a"), write(".a.yaml", "b"), NEVER));
    assert!(!seen(
        |path| path.join("a.yaml"),
        write("a.yaml", "a"),
        write("b.yaml", "b"),
        NEVER
    ));
}

/// Kubernetes puts a ConfigMap's files behind a link to a directory, and turns the link.
#[test]
fn a_config_map_is_seen() {
    let version = |path: &Path, name: &str, text: &str| {
        fs::create_dir(path.join(name)).unwrap();
        fs::write(path.join(name).join("a.yaml"), text).unwrap();
        symlink(name, path.join("..data_tmp")).unwrap();
        fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
    };
    let prepare = |path: &Path| {
        version(path, "..2026_01", "a");
        symlink("..data/a.yaml", path.join("a.yaml")).unwrap();
    };
    assert!(seen(itself, prepare, |path| version(path, "..2026_02", "b"), SOON));
}

#[test]
fn a_link_to_another_directory_is_seen() {
    let prepare = |path: &Path| {
        for name in ["one", "two"] {
            fs::create_dir(path.join(name)).unwrap();
            fs::write(path.join(name).join("a.yaml"), name).unwrap();
        }
        symlink("one", path.join("current")).unwrap();
    };
    let turn = |path: &Path| {
        symlink("two", path.join("next")).unwrap();
        fs::rename(path.join("next"), path.join("current")).unwrap();
    };
    assert!(seen(|path| path.join("current"), prepare, turn, LOOK + SOON));
}

#[test]
fn a_directory_that_comes_back_is_watched_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m");
    let fill = |text: &str| {
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a.yaml"), text).unwrap();
    };
    fill("a");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut watch = Watch::new(vec![path.clone()], false);
        fs::remove_dir_all(&path).unwrap();
        assert!(timeout(SOON, watch.changed()).await.is_ok());
        fill("b");
        assert!(timeout(LOOK + SOON, watch.changed()).await.is_ok());
        fill("cc");
        assert!(timeout(SOON, watch.changed()).await.is_ok());
    });
}

#[test]
fn files_written_together_are_one_change() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut watch = Watch::new(vec![directory.path().to_owned()], false);
        let writer = {
            let path = directory.path().to_owned();
            tokio::spawn(async move {
                for name in ["a.yaml", "b.yaml", "c.yaml"] {
                    fs::write(path.join(name), name).unwrap();
                    sleep(Duration::from_millis(15)).await;
                }
            })
        };
        watch.changed().await;
        writer.await.unwrap();
        assert!(timeout(NEVER, watch.changed()).await.is_err());
    });
}

#[test]
fn a_file_that_is_still_written_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.yaml");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut watch = Watch::new(vec![directory.path().to_owned()], false);
        let mut file = fs::File::create(&path).unwrap();
        let writer = tokio::spawn(async move {
            for piece in ["one", "two", "three"] {
                file.write_all(piece.as_bytes()).unwrap();
                sleep(AT_MOST).await;
            }
        });
        watch.changed().await;
        assert_eq!(fs::read_to_string(&path).unwrap(), "onetwothree");
        writer.await.unwrap();
        // Somebody who never closes it does not stop us.
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(b"four").unwrap();
        assert!(timeout(WRITING + SOON, watch.changed()).await.is_ok());
    });
}
