// Firefox as a peer, driven over WebDriver BiDi. The two permissions make it gather every address.
import puppeteer from 'puppeteer-core';
import { drive } from './browser.js';

const NOWHERE = 'http://127.0.0.1:1/';
const PREFS = {
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'permissions.default.microphone': 1,
  'permissions.default.camera': 1,
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
