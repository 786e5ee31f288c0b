/**
 * Ratios, measured side by side: channels against streams and generators, ports against postMessage and
 * comlink, the main thread while we listen and while vad-web's MicVAD does, and bundle sizes.
 *
 *   npm run bench [-- --quick] [-- --seconds 30] [-- --rounds 2]
 *
 * `--quick` leaves out what runs in real time. The absolute figures are this machine's and this moment's;
 * the ratios are what to compare. Nothing here passes or fails.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureMainThread, writeMicrophone } from './main-thread.mjs';
import { loadInNode, openChromium } from './realms.mjs';
import { measureSizes } from './sizes.mjs';
import { compare, figure, median, printTable, verdict } from './table.mjs';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '2' },
  },
});
const rounds = options.quick ? 3 : 7;

/** The two tables of one realm about stages, and the one about ports. */
async function printRealm(realm, { channel, latency, port }) {
  const through = await compare(() => channel(20_000), 'TransformStream', rounds);
  printTable(
    `${realm}: elements through 8 pass-through stages`,
    ['', 'elements/s', 'ratio', 'target'],
    through.map(({ name, perSecond, ratio }) => [
      name,
      figure(perSecond),
      `${figure(ratio)}×`,
      name === 'pipeline of transform()' ? verdict(ratio, 10) : '',
    ]),
  );
  const alone = await compare(() => latency(5000), 'TransformStream', rounds);
  printTable(
    `${realm}: one element at a time through 8 stages`,
    ['', 'µs', 'faster'],
    alone.map(({ name, perSecond, ratio }) => [name, figure(1e6 / perSecond), `${figure(ratio)}×`]),
  );
  const hop = await compare(() => port(5000), 'postMessage', rounds);
  printTable(
    `${realm}: frames of 512 floats to another thread`,
    ['', 'frames/s', 'ratio', 'target'],
    hop.map(({ name, perSecond, ratio }) => [
      name === 'comlink' ? 'comlink, a call per frame' : name,
      figure(perSecond),
      `${figure(ratio)}×`,
      name === 'port' ? verdict(ratio, 0.9) : '',
    ]),
  );
}

/** Both ways of listening take turns, so that load hits both alike. */
async function printMainThread(browser) {
  const ways = { micVAD: 'vad-web MicVAD', antiphon: 'Antiphon' };
  const measured = { micVAD: [], antiphon: [] };
  for (let round = 0; round < Number(options.rounds); round += 1)
    for (const way of Object.keys(ways))
      measured[way].push(await measureMainThread(browser, way, Number(options.seconds)));
  const middle = (way, field) => median(measured[way].map((one) => one[field]));
  const ratio = (field) =>
    median(measured.micVAD.map((one, index) => one[field] / measured.antiphon[index][field]));
  printTable(
    `Chromium: main-thread ms per minute of audio (${options.rounds} × ${options.seconds} s each, by turns)`,
    ['', 'tasks', 'processor', 'turns heard'],
    Object.entries(ways).map(([way, name]) => [
      name,
      figure(middle(way, 'taskMs')),
      figure(middle(way, 'threadMs')),
      measured[way].map(({ heard }) => heard.turns).join(', '),
    ]),
  );
  console.log(
    `  MicVAD ÷ Antiphon: tasks ${verdict(ratio('taskMs'), 50)} (${figure(ratio('taskMs'))}×),` +
      ` processor ${verdict(ratio('threadMs'), 50)} (${figure(ratio('threadMs'))}×)`,
  );
}

async function printSizes() {
  const kilobytes = (bytes) => (bytes / 1000).toFixed(1);
  printTable(
    'Bundle sizes without ONNX Runtime and models, kB',
    ['', 'minified', 'gzip', 'target'],
    (await measureSizes()).map(({ name, minified, gzipped, target }) => [
      name,
      kilobytes(minified),
      kilobytes(gzipped),
      target ? `${gzipped <= target * 1000 ? 'meets' : 'misses'} ≤ ${target}` : '',
    ]),
  );
}

const scratch = mkdtempSync(join(tmpdir(), 'antiphon-bench-'));
let browser;
try {
  const node = await loadInNode();
  const microphone = join(scratch, 'microphone.wav');
  writeMicrophone(microphone, node);
  browser = await openChromium(microphone);
  console.log(
    `Node ${process.version}, Chromium ${browser.version}, ${availableParallelism()} cores,` +
      ` load ${figure(loadavg()[0])}; medians of ${rounds} rounds after a warm-up`,
  );
  await printSizes();
  const ports = node.openPortBench();
  await printRealm('Node', {
    channel: (count) => node.benchChannel(count, 1),
    latency: node.benchLatency,
    port: ports.bench,
  });
  await ports.close();
  const page = await browser.open();
  const onPage = (name) => (count) =>
    page.evaluate(([name, count]) => globalThis.bench[name](count), [name, count]);
  await printRealm('Chromium', {
    channel: onPage('channel'),
    latency: onPage('latency'),
    port: onPage('port'),
  });
  await page.close();
  if (!options.quick) await printMainThread(browser);
} finally {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
}
