// Chromium as a peer. Without the loopback flag a machine with only `lo` gathers nothing.
import puppeteer from 'puppeteer-core';
import { drive } from './browser.js';

const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

// Every SCTP packet in plain text, `# SCTP_PACKET`, for text2pcap; and what dcSCTP thinks of it.
const VERBOSE = [
  '--enable-logging=stderr', '--vmodule=*webrtc/*=3,*dcsctp*=4',
  '--force-fieldtrials=WebRTC-Debugging-RtpDump/Enabled/',
];
// With these it tells its addresses; without them it hides them behind names of multicast DNS.
const TELLING = ['--use-fake-ui-for-media-stream', '--disable-features=WebRtcHideLocalIpsWithMdns'];
const hides = Boolean(process.env.INTEROP_MDNS);
const args = hides ? ARGS.filter((it) => !TELLING.includes(it)) : ARGS;

const verbose = Boolean(process.env.INTEROP_VERBOSE);

await drive((userDataDir) =>
  puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    userDataDir,
    args: verbose ? [...args, ...VERBOSE] : args,
    dumpio: verbose,
  }),
);
