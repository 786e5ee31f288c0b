/** The demo: one agent, and the views that show what it does. */
import { createVoiceAgent, indexedDBStore, type VoiceAgent } from 'antiphon';
import { makeOffline, providerOf } from './assistants.ts';
import { byId } from './dom.ts';
import { followFlow } from './flow.ts';
import { followConversation, readParameters } from './parameters.ts';
import { recall, remember } from './preferences.ts';
import { Session } from './session.ts';
import { askPerson } from './views/approval-dialog.ts';
import { ConversationList } from './views/conversation-list.ts';
import { startDrawers } from './views/drawers.ts';
import { LatencyView } from './views/latency-view.ts';
import { LevelMeter } from './views/level-meter.ts';
import { LoadingView } from './views/loading-view.ts';
import { PipelineView } from './views/pipeline-view.ts';
import { startSamples } from './views/samples.ts';
import { type AssistantChoice, startSettings, storedChoice } from './views/settings-dialog.ts';
import { TalkButton } from './views/talk-button.ts';
import { startTheme } from './views/theme.ts';
import { Toasts } from './views/toasts.ts';
import { compact, TranscriptView } from './views/transcript-view.ts';

const system =
  'You are Antiphon, a friendly voice assistant in a web page. Everything you write is spoken aloud: ' +
  'answer in one or two short sentences of plain words, without lists, markup or emoji.';

const toasts = new Toasts(byId('toasts', HTMLElement));
const attempt = (work: Promise<unknown>): void =>
  void work.catch((error: unknown) => toasts.show(error));

const meter = new LevelMeter();
startTheme(() => meter.recolour());
startDrawers();
attempt(run());

async function run(): Promise<void> {
  const parameters = readParameters(location.search);
  const choice: AssistantChoice = parameters.server
    ? { kind: 'server', ...parameters.server, token: '', tools: true }
    : storedChoice();
  let mind = choice.kind;
  const conversation = parameters.conversation ?? recall('conversation');
  const state = indexedDBStore();
  const offline = makeOffline(state);
  const agent = await createVoiceAgent({
    system,
    ...(conversation === undefined ? {} : { conversation }),
    state,
    provider: providerOf(choice, offline),
    tools: offline.tools,
    toolPolicy: {
      // The rules do what the person said; a model may have misunderstood.
      permissions: ({ name }) =>
        name === 'cancel_timers' && mind !== 'offline' ? 'ask' : undefined,
      approve: askPerson,
    },
    filler: { texts: ['One moment.'] },
  });
  Object.assign(globalThis, { agent });

  startSettings(choice, (chosen) => {
    mind = chosen.kind;
    agent.setProvider(providerOf(chosen, offline));
  });
  const session = followTalk(agent);
  offline.onTimer(({ announcement }) => attempt(session.announce(announcement)));
  const followed = followTranscript(agent);
  followInside(agent);
  // Where storage is blocked, talking works all the same.
  attempt(followConversations(agent, followed));

  byId('typing', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const input = byId('typed', HTMLInputElement);
    const text = input.value.trim();
    if (text === '') return;
    input.value = '';
    followed.transcript.typed(text);
    const sent = session.type(text).catch((error: unknown) => {
      followed.transcript.withdraw();
      if (input.value === '') input.value = text;
      throw error;
    });
    attempt(sent);
  });
  startSamples(
    (clip, rate) => session.play(clip, rate),
    (error) => toasts.show(error),
  );
  if (parameters.autostart) await load(agent);
}

async function load(agent: VoiceAgent): Promise<void> {
  const view = new LoadingView();
  const release = agent.on('progress', ({ asset, loaded, total }) =>
    view.progress(asset, loaded, total),
  );
  try {
    await agent.load();
  } finally {
    release();
    view.done();
  }
}

function followTalk(agent: VoiceAgent): Session {
  const show = (): void => button.show(agent.state, session.microphone, session.starting);
  const session = new Session(agent, show);
  const button = new TalkButton(() => {
    toasts.clear();
    attempt(session.toggle());
  });
  show();
  agent.on('state', ({ assistant }) => {
    if (assistant === 'idle') meter.rest();
    show();
  });
  agent.on('level', ({ microphone, probability }) => meter.measure(microphone, probability));
  agent.on('error', (error) => toasts.show(error));
  return session;
}

interface Followed {
  readonly transcript: TranscriptView;
  readonly latency: LatencyView;
}

function followTranscript(agent: VoiceAgent): Followed {
  const view = new TranscriptView(
    byId('transcript', HTMLElement),
    byId('dialogue', HTMLElement),
    byId('welcome', HTMLElement),
  );
  const latency = new LatencyView();
  const announcer = byId('announcer', HTMLElement);
  agent.on('transcript', ({ turn, text, final }) => {
    view.transcript(turn, text, final);
    if (final && text !== '') announcer.textContent = `You said: ${text}`;
  });
  agent.on('reply', ({ turn, text }) => view.reply(turn, text));
  agent.on('heard', ({ turn, text, done, interrupted }) =>
    view.heard(turn, text, done, interrupted),
  );
  agent.on('tool', ({ turn, name, ...call }) => {
    if ('arguments' in call) view.tool(turn, name, compact(call.arguments));
  });
  agent.on('message', ({ message }) => view.stored(message));
  agent.on('turn', (turn) => {
    view.finish({ ...turn, voiceToVoiceMs: turn.trace.voiceToVoiceMs });
    latency.add(turn.trace, turn.transcript);
  });
  agent.on('state', ({ assistant }) => {
    if (assistant === 'idle') view.endRun();
  });
  return { transcript: view, latency };
}

function followInside(agent: VoiceAgent): void {
  const pipeline = new PipelineView(byId('pipeline', HTMLElement));
  pipeline.show(agent.graph);
  followFlow(agent, pipeline);
}

async function followConversations(
  agent: VoiceAgent,
  { transcript, latency }: Followed,
): Promise<void> {
  const refresh = async (): Promise<void> =>
    list.show(await agent.conversations(), agent.conversation);
  const open = async (id?: string): Promise<void> => {
    await agent.open(id);
    remember('conversation', agent.conversation);
    followConversation(agent.conversation);
    latency.clear();
    transcript.show(await agent.history());
    await refresh();
  };
  const list = new ConversationList({
    open: (id) => attempt(open(id)),
    create: () => attempt(open()),
    delete: (id) =>
      attempt(
        agent.deleteConversation(id).then(() => (id === agent.conversation ? open() : refresh())),
      ),
  });
  agent.on('message', () => attempt(refresh()));
  remember('conversation', agent.conversation);
  transcript.show(await agent.history());
  await refresh();
}
