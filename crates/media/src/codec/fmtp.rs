//! Parameters of a payload format as SDP has them: `name=value;name=value` (RFC 8866 §6.15).

/// The value of the parameter `name`, in whatever case.
pub(super) fn value<'a>(fmtp: Option<&'a str>, name: &str) -> Option<&'a str> {
    let mut parameters = fmtp?.split(';').filter_map(|it| it.split_once('='));
    let (_, value) = parameters.find(|(it, _)| it.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim())
}

/// The value of the parameter `name`, if it is a number.
pub(super) fn number(fmtp: Option<&str>, name: &str) -> Option<u32> {
    value(fmtp, name)?.parse().ok()
}

/// Whether the parameter `name` is 1.
#[cfg(feature = "opus")]
pub(super) fn flag(fmtp: Option<&str>, name: &str) -> bool {
    number(fmtp, name) == Some(1)
}
