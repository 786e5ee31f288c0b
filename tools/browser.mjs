/** Finds Chrome or Chromium, or installs one, or says in one sentence what to do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const systemPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/opt/google/chrome/chrome',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
];

function playwrightCache() {
  const caches = [
    process.env['PLAYWRIGHT_BROWSERS_PATH'],
    join(homedir(), '.cache/ms-playwright'),
    join(homedir(), 'Library/Caches/ms-playwright'),
    join(homedir(), 'AppData/Local/ms-playwright'),
  ].filter((path) => path && existsSync(path));
  const inside = [
    'chrome-linux/chrome',
    'chrome-linux64/chrome',
    'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
    'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
    'chrome-win/chrome.exe',
    'chrome-win64/chrome.exe',
  ];
  for (const cache of caches)
    for (const folder of readdirSync(cache).filter((name) => /^chromium-\d/.test(name)))
      for (const path of inside)
        if (existsSync(join(cache, folder, path))) return join(cache, folder, path);
  return undefined;
}

/** Path of a Chrome or Chromium that is there already, or undefined. */
export function findBrowser() {
  const named = process.env['CHROME_PATH'];
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(
      `CHROME_PATH names ${named}, which does not exist; point it to a Chrome or Chromium, or unset it.`,
    );
  }
  return systemPlaces.find((path) => existsSync(path)) ?? playwrightCache();
}

function run(command, args) {
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0;
}

/** Path of a browser; installs one when there is none. Throws one sentence that says what to do. */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  console.log('No Chrome or Chromium found; asking Playwright to download one.');
  if (run('npx', ['playwright', 'install', '--with-deps', 'chromium']) || playwrightCache()) {
    const downloaded = playwrightCache();
    if (downloaded) return downloaded;
  }
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('The download failed; installing the system package chromium.');
    run('apt-get', ['update', '-qq']);
    if (run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'])) {
      const installed = findBrowser();
      if (installed) return installed;
    }
  }
  throw new Error(
    'No Chrome or Chromium could be found or installed: install one and set CHROME_PATH to its executable.',
  );
}

/** Flags every run needs: no sandbox for root, no traffic of the browser's own, audio without a gesture. */
export const browserFlags = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--autoplay-policy=no-user-gesture-required',
];

/** The browser's own words for its version. */
export function browserVersion(path) {
  return execFileSync(path, ['--version', '--no-sandbox'], { encoding: 'utf8' }).trim();
}
