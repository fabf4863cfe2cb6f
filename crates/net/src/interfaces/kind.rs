//! What an interface is made of, as far as that can be told.

use std::{fs, path::Path};

/// What carries an interface's packets. It says how dear they are: what is sent over a cellular network
/// is paid for by volume, a wireless LAN costs battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterfaceKind {
    /// This machine itself.
    Loopback,
    /// A cable.
    Ethernet,
    /// A wireless LAN.
    Wifi,
    /// A cellular modem.
    Cellular,
    /// Another network, within which packets travel: a VPN. Which one is not known.
    Tunnel,
    /// Nobody knows: a virtual interface, or an operating system that does not say.
    Unknown,
}

/// Where Linux tells of its interfaces (Documentation/ABI/testing/sysfs-class-net of the kernel).
const SYSFS: &str = "/sys/class/net";

/// How many interfaces may be stacked on each other: a VLAN on a bridge on a bond on a card.
const MAX_STACK: u8 = 4;

/// How many interfaces below one are looked at.
const MAX_LOWER: usize = 64;

/// ARPHRD_* of Linux (`linux/if_arp.h`), the hardware types that sysfs shows.
mod hardware {
    pub(super) const ETHER: u16 = 1;
    /// IP within IP. PPP is not among them: it is as likely a DSL line or a modem.
    pub(super) const IP_TUNNELS: [u16; 6] = [768, 769, 776, 778, 779, 823];
    /// Raw IP, and Qualcomm's multiplexed IP.
    pub(super) const MODEMS: [u16; 2] = [519, 530];
    /// No hardware at all: a tunnel.
    pub(super) const NONE: u16 = 0xFFFE;
    pub(super) const LOOPBACK: u16 = 772;
}

/// The kind of the interface with this name, now.
pub(super) fn kind(name: &str) -> InterfaceKind {
    let told = if cfg!(any(target_os = "linux", target_os = "android")) {
        in_sysfs(Path::new(SYSFS), name, MAX_STACK)
    } else {
        InterfaceKind::Unknown
    };
    match told {
        InterfaceKind::Unknown => by_name(name),
        known => known,
    }
}

/// As Linux's drivers say. Names are free to choose there.
fn in_sysfs(sysfs: &Path, name: &str, stack: u8) -> InterfaceKind {
    // Nothing else is a name in Linux, and it must not lead out of the directory.
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        return InterfaceKind::Unknown;
    }
    let interface = sysfs.join(name);
    let has = |file: &str| interface.join(file).exists();
    let uevent = fs::read_to_string(interface.join("uevent")).unwrap_or_default();
    let mut lines = uevent.lines();
    let devtype = lines.find_map(|line| line.strip_prefix("DEVTYPE="));
    let hardware = fs::read_to_string(interface.join("type")).ok();
    let hardware = hardware.and_then(|number| number.trim().parse::<u16>().ok());
    match devtype {
        Some("wlan") => return InterfaceKind::Wifi,
        Some("wwan") => return InterfaceKind::Cellular,
        Some("wireguard") => return InterfaceKind::Tunnel,
        _ => {}
    }
    if has("wireless") || has("phy80211") {
        return InterfaceKind::Wifi;
    }
    // Of `tun` and `tap`. A tap is more often a virtual machine's cable than a VPN.
    if has("tun_flags") {
        return match hardware {
            Some(hardware::ETHER) => InterfaceKind::Unknown,
            _ => InterfaceKind::Tunnel,
        };
    }
    match hardware {
        Some(hardware::LOOPBACK) => return InterfaceKind::Loopback,
        Some(hardware::NONE) => return InterfaceKind::Tunnel,
        Some(number) if hardware::MODEMS.contains(&number) => return InterfaceKind::Cellular,
        Some(number) if hardware::IP_TUNNELS.contains(&number) => return InterfaceKind::Tunnel,
        Some(hardware::ETHER) => {}
        _ => return InterfaceKind::Unknown,
    }
    match below(sysfs, &interface, stack) {
        Some(kind) => kind,
        None if has("device") => InterfaceKind::Ethernet,
        None => InterfaceKind::Unknown,
    }
}

/// The kind of what a bridge, a bond or a VLAN is made of: the dearest that is known of several, for any
/// may be in use.
fn below(sysfs: &Path, interface: &Path, stack: u8) -> Option<InterfaceKind> {
    let stack = stack.checked_sub(1)?;
    let entries = fs::read_dir(interface).ok()?.flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name();
        Some(name.to_str()?.strip_prefix("lower_")?.to_owned())
    });
    let kinds = names
        .take(MAX_LOWER)
        .map(|name| in_sysfs(sysfs, &name, stack));
    kinds.max_by_key(|kind| dearness(*kind))
}

const fn dearness(kind: InterfaceKind) -> u8 {
    match kind {
        InterfaceKind::Unknown => 0,
        InterfaceKind::Loopback => 1,
        InterfaceKind::Ethernet => 2,
        InterfaceKind::Wifi => 3,
        InterfaceKind::Tunnel => 4,
        InterfaceKind::Cellular => 5,
    }
}

/// By the names that operating systems give, a word and a number, as libwebrtc does (`rtc_base/network.cc`)
/// where it is not told better. On macOS `en0` is a cable as likely as a wireless LAN.
fn by_name(name: &str) -> InterfaceKind {
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match word {
        "lo" => InterfaceKind::Loopback,
        "eth" => InterfaceKind::Ethernet,
        "wlan" | "v4-wlan" => InterfaceKind::Wifi,
        "tun" | "utun" | "ipsec" | "wg" => InterfaceKind::Tunnel,
        // Android's and iOS's modems.
        "rmnet" | "rmnet_data" | "v4-rmnet" | "v4-rmnet_data" | "clat" | "ccmni" | "pdp_ip"
        | "wwan" => InterfaceKind::Cellular,
        "en" if cfg!(target_os = "ios") => InterfaceKind::Wifi,
        // The names that Windows shows, "Ethernet 2" among them.
        _ if cfg!(windows) => match word.trim_end() {
            "Ethernet" => InterfaceKind::Ethernet,
            "Wi-Fi" | "WLAN" => InterfaceKind::Wifi,
            "Cellular" | "Mobilfunk" => InterfaceKind::Cellular,
            _ => InterfaceKind::Unknown,
        },
        _ => InterfaceKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A directory like `/sys/class/net`, gone with the test.
    struct Sysfs(PathBuf);

    impl Sysfs {
        fn new(test: &str) -> Self {
            let name = format!("pc-net-{}-{test}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        /// An interface of this hardware type, with other files in it.
        fn interface(&self, name: &str, hardware: &str, files: &[(&str, &str)]) {
            let path = self.0.join(name);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("type"), hardware).unwrap();
            for (file, text) in files {
                fs::write(path.join(file), text).unwrap();
            }
        }

        fn kind(&self, name: &str) -> InterfaceKind {
            in_sysfs(&self.0, name, MAX_STACK)
        }
    }

    impl Drop for Sysfs {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn drivers_say_what_an_interface_is() {
        let sysfs = Sysfs::new("drivers");
        let of = |text: &'static str| ("uevent", text);
        let plain = of("INTERFACE=x\nIFINDEX=2\n");
        sysfs.interface("lo", "772\n", &[plain]);
        sysfs.interface("enp3s0", "1\n", &[plain, ("device", "")]);
        sysfs.interface(
            "wlp2s0",
            "1\n",
            &[of("DEVTYPE=wlan\nINTERFACE=x\n"), ("device", "")],
        );
        sysfs.interface("old-wifi", "1\n", &[("wireless", ""), ("device", "")]);
        sysfs.interface("wwp0s20u4", "1\n", &[of("DEVTYPE=wwan\n"), ("device", "")]);
        sysfs.interface("rmnet_data0", "519\n", &[plain]);
        sysfs.interface("wg0", "65534\n", &[of("DEVTYPE=wireguard\n")]);
        sysfs.interface("tun0", "65534\n", &[("tun_flags", "0x1001")]);
        sysfs.interface("tap0", "1\n", &[("tun_flags", "0x1002")]);
        sysfs.interface("sit1", "776\n", &[plain]);
        sysfs.interface("ppp0", "512\n", &[of("DEVTYPE=ppp\n")]);
        sysfs.interface("veth3", "1\n", &[plain]);
        sysfs.interface("odd", "not a number", &[("device", "")]);
        for (name, kind) in [
            ("lo", InterfaceKind::Loopback),
            ("enp3s0", InterfaceKind::Ethernet),
            ("wlp2s0", InterfaceKind::Wifi),
            ("old-wifi", InterfaceKind::Wifi),
            ("wwp0s20u4", InterfaceKind::Cellular),
            ("rmnet_data0", InterfaceKind::Cellular),
            ("wg0", InterfaceKind::Tunnel),
            ("tun0", InterfaceKind::Tunnel),
            ("tap0", InterfaceKind::Unknown),
            ("sit1", InterfaceKind::Tunnel),
            ("ppp0", InterfaceKind::Unknown),
            ("veth3", InterfaceKind::Unknown),
            ("odd", InterfaceKind::Unknown),
            ("none", InterfaceKind::Unknown),
        ] {
            assert_eq!(sysfs.kind(name), kind, "{name}");
        }
        fs::create_dir_all(sysfs.0.join("deep")).unwrap();
        assert_eq!(
            in_sysfs(&sysfs.0.join("deep"), "../enp3s0", 1),
            InterfaceKind::Unknown
        );
    }

    #[test]
    fn what_is_stacked_is_what_it_stands_on() {
        let sysfs = Sysfs::new("stacks");
        sysfs.interface("eth0", "1", &[("device", "")]);
        sysfs.interface("wlan0", "1", &[("wireless", "")]);
        sysfs.interface("veth1", "1", &[]);
        sysfs.interface("br0", "1", &[("lower_eth0", ""), ("lower_veth1", "")]);
        sysfs.interface("br0.7", "1", &[("lower_br0", "")]);
        sysfs.interface("bond0", "1", &[("lower_eth0", ""), ("lower_wlan0", "")]);
        sysfs.interface("docker0", "1", &[("lower_veth1", "")]);
        sysfs.interface("self", "1", &[("lower_self", ""), ("device", "")]);
        for (name, kind) in [
            ("br0", InterfaceKind::Ethernet),
            ("br0.7", InterfaceKind::Ethernet),
            ("bond0", InterfaceKind::Wifi),
            ("docker0", InterfaceKind::Unknown),
            // Ends all the same.
            ("self", InterfaceKind::Ethernet),
        ] {
            assert_eq!(sysfs.kind(name), kind, "{name}");
        }
    }

    #[test]
    fn names_say_it_where_nobody_else_does() {
        for (name, kind) in [
            ("lo", InterfaceKind::Loopback),
            ("eth0", InterfaceKind::Ethernet),
            ("wlan1", InterfaceKind::Wifi),
            ("utun3", InterfaceKind::Tunnel),
            ("rmnet_data2", InterfaceKind::Cellular),
            ("pdp_ip0", InterfaceKind::Cellular),
            ("ethereal", InterfaceKind::Unknown),
            ("", InterfaceKind::Unknown),
        ] {
            assert_eq!(by_name(name), kind, "{name}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machines_loopback_is_one() {
        assert_eq!(kind("lo"), InterfaceKind::Loopback);
    }
}
