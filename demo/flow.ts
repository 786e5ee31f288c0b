/** Which stages of the drawn pipeline light up when the agent tells the page about something. */
import type { VoiceAgent } from 'antiphon';
import type { GraphNode, PipelineView } from './views/pipeline-view.ts';

/** Lets the pipeline view follow an agent. */
export function followFlow(agent: VoiceAgent, view: PipelineView): void {
  const named =
    (...names: readonly string[]) =>
    (node: GraphNode): boolean =>
      names.includes(node.name);
  agent.on('level', ({ microphone, probability = 0 }) => {
    if (microphone > 0.003) view.light(named('microphone'), 'call');
    if (probability >= 0.5) view.light(named('ears'), 'call');
  });
  agent.on('transcript', ({ final }) => {
    view.light(named('scribe'), 'call');
    if (final)
      view.light(named('user', 'state-store-load', 'prompt-assembly', 'template'), 'thought');
  });
  agent.on('reply', ({ done }) => {
    view.light(named('provider', 'reply'), 'thought');
    if (done) view.light(named('voice'), 'response');
  });
  agent.on('heard', () => view.light(named('voice', 'speaker'), 'response'));
  agent.on('message', () => view.light(named('state-store-save'), 'thought'));
}
