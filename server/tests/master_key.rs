//! The key that encrypts secrets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, os::unix::fs::PermissionsExt};

use mneme::{
    config::{Config, Secret},
    master_key::{load_or_create, parse},
};

#[test]
fn a_key_is_made_once_for_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { data_dir: home.path().to_owned(), ..Config::default() };
    let made = load_or_create(&config).unwrap();
    let file = config.master_key_file();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&file).unwrap(), made.reveal());
    assert_eq!(load_or_create(&config).unwrap(), made, "the second start finds the first one's key");
    let files: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["master.key"], "nothing else is left behind");
}

#[test]
fn a_key_that_others_may_read_or_that_is_cut_off_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let config = Config { data_dir: home.path().to_owned(), ..Config::default() };
    load_or_create(&config).unwrap();
    let file = config.master_key_file();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(load_or_create(&config).unwrap_err().to_string().contains("chmod 600"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, [1; 31]).unwrap();
    assert!(load_or_create(&config).unwrap_err().to_string().contains("does not hold a key of 32 bytes"));
}

#[test]
fn a_configured_key_is_used_and_no_file_is_made() {
    let home = tempfile::tempdir().unwrap();
    let key = Some(Secret::new("01".repeat(32)));
    let config = Config { data_dir: home.path().to_owned(), master_key: key, ..Config::default() };
    assert_eq!(load_or_create(&config).unwrap().reveal(), &[1; 32]);
    assert!(!config.master_key_file().exists());
}

#[test]
fn keys_are_read_in_hexadecimal_and_base64() {
    let bytes: [u8; 32] = std::array::from_fn(|index| (index * 9) as u8);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [
        hex.as_str(),
        &hex.to_uppercase(),
        "AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDhc=",
        "AAkSGyQtNj9IUVpjbHV-h5CZoqu0vcbP2OHq8_wFDhc",
        " AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDhc=\n",
    ] {
        assert_eq!(parse(text).unwrap().reveal(), &bytes, "{text}");
    }
    for wrong in
        ["", "secret", &hex[2..], &format!("{hex}00"), "AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDh", &"zz".repeat(32)]
    {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
