//! The parameters in `a=fmtp` (RFC 8866 §6.15): mostly `name=value` separated by `;`
//! (RFC 4855 §3).

/// The most blocks red may carry here. RFC 2198 sets no limit; nobody sends more than a few.
const MAX_CARRIED: usize = 32;

/// The value of the parameter `name`, the first where it stands more often. Names are compared
/// without regard to case (RFC 4855 §3), white space around the separators is passed over.
pub(super) fn parameter<'a>(line: Option<&'a str>, name: &str) -> Option<&'a str> {
    line?.split(';').find_map(|piece| {
        let (own, value) = piece.split_once('=')?;
        own.trim()
            .eq_ignore_ascii_case(name)
            .then_some(value.trim())
    })
}

/// The number that the parameter `name` holds, `default` where it is left out, `None` where it is
/// no such number.
pub(super) fn number(line: Option<&str>, name: &str, default: u8) -> Option<u8> {
    parameter(line, name).map_or(Some(default), |value| value.parse().ok())
}

/// The line with the parameter `name` set to `value`: in its place, or at the end.
pub(super) fn with_parameter(line: Option<&str>, name: &str, value: &str) -> String {
    let set = format!("{name}={value}");
    let is_it = |piece: &str| {
        let own = piece.split_once('=').map_or(piece, |(own, _)| own);
        own.trim().eq_ignore_ascii_case(name)
    };
    let mut pieces: Vec<&str> = line.unwrap_or_default().split(';').collect();
    pieces.retain(|piece| !piece.trim().is_empty());
    match pieces.iter_mut().find(|piece| is_it(piece)) {
        Some(piece) => *piece = &set,
        None => pieces.push(&set),
    }
    pieces.join(";")
}

/// The payload type that rtx repairs: `apt` (RFC 4588 §8.1).
pub(super) fn apt(line: Option<&str>) -> Option<u8> {
    parameter(line, "apt")?.parse().ok()
}

/// The payload types that red carries, as in `111/111`: empty without a line (as video has it),
/// `None` for a line that is no such list (RFC 2198 §5).
pub(super) fn carried(line: Option<&str>) -> Option<Vec<u8>> {
    let Some(line) = line.map(str::trim).filter(|line| !line.is_empty()) else {
        return Some(Vec::new());
    };
    let mut numbers = Vec::new();
    for field in line.split('/') {
        if numbers.len() == MAX_CARRIED {
            return None;
        }
        numbers.push(field.trim().parse().ok()?);
    }
    Some(numbers)
}
