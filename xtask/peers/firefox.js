// Firefox as a peer, driven over WebDriver BiDi.
import puppeteer from 'puppeteer-core';
import { drive } from './browser.js';

const NOWHERE = 'http://127.0.0.1:1/';
// It looks names of multicast DNS up only where it hides its own addresses behind such.
const hides = Boolean(process.env.INTEROP_MDNS);
const PREFS = {
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': hides,
  // With these it gathers every address, and hides none of them.
  ...(hides ? {} : { 'permissions.default.microphone': 1, 'permissions.default.camera': 1 }),
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'app.update.enabled': false,
  'app.update.url': NOWHERE,
  'app.normandy.enabled': false,
  'app.normandy.api_url': NOWHERE,
  'browser.safebrowsing.provider.mozilla.updateURL': NOWHERE,
  'browser.safebrowsing.provider.mozilla.gethashURL': NOWHERE,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'extensions.systemAddon.update.url': NOWHERE,
  'media.gmp-manager.url': NOWHERE,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': NOWHERE,
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': NOWHERE,
};

await drive((userDataDir) =>
  puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    userDataDir,
    extraPrefsFirefox: PREFS,
  }),
);
