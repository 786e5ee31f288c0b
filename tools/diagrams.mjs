/**
 * Draws the real graph of a voice agent into docs/architecture.md, between the markers of each diagram.
 *
 *   node tools/diagrams.mjs           writes the document
 *   node tools/diagrams.mjs --check   fails when a diagram in it is stale
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** The document with every diagram that is given, by name, between its markers; throws when it has no such markers. */
export function withDiagrams(markdown, diagrams) {
  let document = markdown;
  for (const [name, mermaid] of Object.entries(diagrams)) {
    const markers = new RegExp(`(<!-- diagram: ${name}[^>]*-->\n)[^]*?(<!-- /diagram -->)`);
    if (!markers.test(document)) throw new Error(`The document has no markers of "${name}".`);
    document = document.replace(
      markers,
      (_, begin, end) => `${begin}\`\`\`mermaid\n${mermaid.trimEnd()}\n\`\`\`\n${end}`,
    );
  }
  return document;
}

/** The diagrams that are made from code, by name. */
async function diagrams(root) {
  const server = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { createVoiceAgent } = await server.ssrLoadModule('/src/index.ts');
    return { agent: (await createVoiceAgent()).toMermaid() };
  } finally {
    await server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const path = `${root}docs/architecture.md`;
  const before = readFileSync(path, 'utf8');
  const after = withDiagrams(before, await diagrams(root));
  if (!process.argv.includes('--check')) writeFileSync(path, after);
  else if (before !== after) {
    console.error('docs/architecture.md is stale: run `node tools/diagrams.mjs`');
    process.exitCode = 1;
  }
}
