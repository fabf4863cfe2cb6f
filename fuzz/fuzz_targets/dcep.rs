//! A DCEP message that is read can be written and reads the same; no bytes make the parser fail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pc_datachannel::Dcep;
use pc_proto::Writer;

fuzz_target!(|data: &[u8]| {
    let message = match Dcep::parse(data) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.at <= data.len());
            return;
        }
    };
    let _ = message.to_string();
    let len = message.wire_len();
    assert!(len <= data.len());
    let mut bytes = vec![0; len];
    message.write(&mut Writer::new(&mut bytes)).unwrap();
    assert_eq!(Dcep::parse(&bytes), Ok(message));
    if let Some(short) = len.checked_sub(1) {
        assert!(
            message
                .write(&mut Writer::new(&mut bytes[..short]))
                .is_err()
        );
        assert!(Dcep::parse(&bytes[..short]).is_err());
    }
});
