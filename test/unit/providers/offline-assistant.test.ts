import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jokes } from '../../../src/providers/offline/jokes.ts';
import { offlineAssistant } from '../../../src/providers/offline-assistant.ts';
import { talkTo } from './talk.ts';

/** Sunday, 22 November 2026, 10:30 in Berlin. */
const now = Date.UTC(2026, 10, 22, 9, 30);
const make = (): ReturnType<typeof offlineAssistant> =>
  offlineAssistant({ now: () => now, timeZone: 'Europe/Berlin' });

const time = 'It is ten thirty in the morning.';
const date = 'Today is Sunday, November the twenty second.';
const tomorrow = 'Tomorrow will be Monday, November the twenty third.';
const joke = jokes[0] ?? '';
const help = /^I can tell the time/;
const who = /small rule-based assistant/;
const cannot = /can't answer that one yet/;
const result = (words: string): string => `That is ${words}.`;

const table: readonly (readonly [heard: string, reply: string | RegExp])[] = [
  // the time
  ['what time is it', time],
  ["what's the time", time],
  ['wat time is it', time],
  ['what tim is it', time],
  ['whattime is it', time],
  ['what timeis it', time],
  ['can you tell me the time please', time],
  ['tell me the tyme', time],
  ['do you have the time', time],
  ['what time is it now', time],
  ['wha time is it right now', time],
  ['What time is it?', time],
  ['the time please', time],
  // the date
  ["what's the date", date],
  ['what is the date today', date],
  ['what is todays date', date],
  ['wats the dat today', date],
  ['what day is it', date],
  ['what day is it today', date],
  ['wat day is today', date],
  ['what day of the week is it', date],
  ['what day is tomorrow', tomorrow],
  ['what day is it tomorow', tomorrow],
  ["what's the date tomorrow", tomorrow],
  ['what day was yesterday', 'Yesterday was Saturday, November the twenty first.'],
  ['what day will it be in three days', 'That will be Wednesday, November the twenty fifth.'],
  ['what day is the day after tomorrow', 'That will be Tuesday, November the twenty fourth.'],
  ['what month is it', 'It is November.'],
  ['what year is it', 'It is twenty twenty six.'],
  ['wat yeer is it', 'It is twenty twenty six.'],
  // sums
  ['what is seventeen plus twenty five', result('forty two')],
  ['what is seventen plus twenty five', result('forty two')],
  ['what is seventeen pluss twenny five', result('forty two')],
  ['whats seven teen plus twenty fife', result('forty two')],
  ["what's two plus two", result('four')],
  ['what is to plus too', result('four')],
  ['what is two and a half times four', result('ten')],
  ['how much is forty too minus ten', result('thirty two')],
  ['five times six', result('thirty')],
  ['five time six', result('thirty')],
  ['what is nine tims nine', result('eighty one')],
  ['what is one hundred divided by eight', result('twelve point five')],
  ['a hundred devided by four', result('twenty five')],
  ['what is ten divided by three', 'That is about three point three three three three.'],
  ['two plus three times four', result('fourteen')],
  ['twenty percent of fifty', result('ten')],
  ['what is twenty per cent of eighty', result('sixteen')],
  ['what is the square root of sixteen', result('four')],
  ['what is the squared root of eighty one', result('nine')],
  ['square root of one hundred and forty four', result('twelve')],
  ['two to the power of ten', result('one thousand and twenty four')],
  ['three squared', result('nine')],
  ['half of ninety', result('forty five')],
  ['add five and six', result('eleven')],
  ['add five to six', result('eleven')],
  ['subtract five from twenty', result('fifteen')],
  ['multiply six by seven', result('forty two')],
  ['divide one hundred by eight', result('twelve point five')],
  ['what is the sum of nine and ten', result('nineteen')],
  ['three point five plus one point five', result('five')],
  ['what is minus five plus three', result('minus two')],
  ['one thousand two hundred plus thirty four', result('one thousand two hundred and thirty four')],
  ['12 + 30', result('forty two')],
  ['what is (2 + 3) * 4?', result('twenty')],
  ['2x3', result('six')],
  ['1,000 / 8', result('one hundred and twenty five')],
  ['15% of 200', result('thirty')],
  ['ten divided by zero', "I can't divide by zero, nobody can."],
  ['square root of minus four', /negative number has no square root/],
  // timers
  ['set a timer for five minutes', 'Five minutes, starting now.'],
  ['set a timer for five minuts', 'Five minutes, starting now.'],
  ['sett a timer for fife minutes', 'Five minutes, starting now.'],
  ['set a five minute timer', 'Five minutes, starting now.'],
  [
    'start a timer for one minute and thirty seconds',
    'One minute and thirty seconds, starting now.',
  ],
  ['set a timer for half an hour', 'Thirty minutes, starting now.'],
  ['set a timer for an hour and a half', 'One hour and thirty minutes, starting now.'],
  ['set a timer for ten seconds', 'Ten seconds, starting now.'],
  ['set a time for ten seconds', 'Ten seconds, starting now.'],
  ['remind me in twenty minutes', 'Twenty minutes, starting now.'],
  ['timer for a minute', 'One minute, starting now.'],
  ['set a timer', 'For how long should I set it?'],
  ['how much time is left on the timer', 'There is no timer running.'],
  ['cancel the timer', 'There is no timer running.'],
  ['stop the tymer', 'There is no timer running.'],
  // names
  ['my name is anna', 'Nice to meet you, Anna. I will remember that.'],
  ['my nam is anna', 'Nice to meet you, Anna. I will remember that.'],
  ['hello my name is peter parker', 'Nice to meet you, Peter Parker. I will remember that.'],
  ['call me ishmael please', 'Nice to meet you, Ishmael. I will remember that.'],
  ['what is my name', /don't know your name yet/],
  ['do you know my name', /don't know your name yet/],
  ['what is my nane', /don't know your name yet/],
  // the rest
  ['tell me a joke', joke],
  ['tel me a jok', joke],
  ['tell me a choke', joke],
  ['do you know any jokes', joke],
  ['make me laugh', joke],
  ['count to five', 'One, two, three, four, five.'],
  ['kount to five', 'One, two, three, four, five.'],
  ['can you count from three to six', 'Three, four, five, six.'],
  ['count down from four', 'Four, three, two, one.'],
  ['count to a million', /within thirty/],
  ['what can you do', help],
  ['wat can you do', help],
  ['what can yo do', help],
  ['help', help],
  ['who are you', who],
  ['what is your name', who],
  ['are you a robot', /small program/],
  ['hello', /^Hello/],
  ['helo', /^Hello/],
  ['hey there', /^Hello/],
  ['good morning', /^Hello/],
  ['thank you', /welcome/],
  ['thenk you very much', /welcome/],
  ['goodbye', /^Goodbye/],
  ['good by', /^Goodbye/],
  ['how are you', /rules are in order/],
  ['stop', 'All right.'],
  ['never mind', 'All right.'],
  ['what is the weather like', /can't look that up/],
  // honest about the rest
  ['who won the world cup in nineteen ninety', cannot],
  ['explain quantum physics to me', cannot],
  ['how far away is the moon', cannot],
  ['i went to the market and bought some apples yesterday morning with my sister', cannot],
  ['', /didn't catch/],
];

describe('the offline assistant understands', () => {
  it.each(table)('“%s”', async (heard, reply) => {
    const assistant = make();
    const answer = await talkTo(assistant).say(heard);
    assistant.close();
    if (typeof reply === 'string') expect(answer).toBe(reply);
    else expect(answer).toMatch(reply);
  });

  it('keeps every answer short enough to be spoken', async () => {
    for (const [heard] of table) {
      const assistant = make();
      const answer = await talkTo(assistant).say(heard);
      assistant.close();
      expect(answer.length, heard).toBeLessThan(190);
    }
  });
});

describe('the offline assistant', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('calls its tools through the tool loop, as any model would', async () => {
    const talk = talkTo(make());
    await talk.say('what is two plus two');
    expect(talk.called).toEqual(['calculator']);
    expect(talk.messages.map(({ role }) => role)).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
    ]);
  });

  it('says honestly when a tool it needs is not allowed', async () => {
    const { stream } = make();
    const parts = [];
    const messages = [
      {
        id: '1',
        role: 'user' as const,
        parts: [{ type: 'text' as const, text: 'what time is it' }],
        createdAt: 0,
      },
    ];
    for await (const part of stream(
      { system: '', messages, tools: [] },
      { signal: new AbortController().signal },
    ))
      parts.push(part);
    expect(parts.map((part) => (part.type === 'text-delta' ? part.text : '')).join('')).toBe(
      'I would need my clock for that, but I may not use it here.',
    );
    expect(parts.at(-1)).toEqual({ type: 'finish', reason: 'stop' });
  });

  it('remembers a name in the store it was given, and forgets it when asked', async () => {
    const kept = new Map<string, unknown>();
    const values = {
      get: (key: string) => Promise.resolve(kept.get(key)),
      set: (key: string, value: unknown) => void kept.set(key, value),
    };
    await talkTo(offlineAssistant({ values })).say('my name is anna');
    const later = talkTo(offlineAssistant({ values }));
    expect(await later.say("what's my name")).toBe('Your name is Anna.');
    expect(await later.say('forget my name')).toBe('I have forgotten your name.');
    expect(await later.say('who am i')).toMatch(/don't know/);
  });

  it('rings a timer once, on time, with a sentence to say', async () => {
    const assistant = offlineAssistant();
    const rung: string[] = [];
    assistant.onTimer(({ announcement }) => rung.push(announcement));
    const talk = talkTo(assistant);
    await talk.say('set a timer for five minutes');
    vi.advanceTimersByTime(299_000);
    expect(rung).toEqual([]);
    expect(await talk.say('how much time is left')).toBe('You have one second left.');
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual(['Your five minute timer is done.']);
    expect(assistant.timers).toEqual([]);
  });

  it('cancels timers so that they never ring', async () => {
    const assistant = offlineAssistant();
    const rung: string[] = [];
    assistant.onTimer(({ announcement }) => rung.push(announcement));
    const talk = talkTo(assistant);
    await talk.say('set a timer for ten seconds');
    await talk.say('set a timer for one hour');
    expect(await talk.say('how long is left on the timer')).toBe(
      'Two timers are running, the next has ten seconds left.',
    );
    expect(await talk.say('cancel the timers')).toBe('All two timers are cancelled.');
    vi.advanceTimersByTime(3_600_000);
    expect(rung).toEqual([]);
  });

  it('asks for the length of a timer and understands the bare answer', async () => {
    const assistant = offlineAssistant();
    const talk = talkTo(assistant);
    expect(await talk.say('set a timer')).toBe('For how long should I set it?');
    expect(await talk.say('two minutes')).toBe('Two minutes, starting now.');
    assistant.close();
  });

  it('tells a dozen jokes without repeating one, then says so', async () => {
    const talk = talkTo(make());
    const told = [await talk.say('tell me a joke')];
    for (let count = 1; count < jokes.length; count += 1)
      told.push(await talk.say(count % 2 === 0 ? 'another joke' : 'another one'));
    expect(new Set(told)).toEqual(new Set(jokes));
    expect(await talk.say('one more')).toMatch(/heard all the jokes/);
  });

  it('goes on from its last result', async () => {
    const talk = talkTo(make());
    await talk.say('what is two plus three');
    expect(await talk.say('times four')).toBe('That is twenty.');
    expect(await talk.say('and minus one')).toBe('That is nineteen.');
  });

  it('repeats what it said, and follows up on dates', async () => {
    const talk = talkTo(make());
    expect(await talk.say('repeat that')).toBe('I have not said anything yet.');
    await talk.say('what is the date');
    expect(await talk.say('and tomorrow')).toBe(tomorrow);
    expect(await talk.say('what did you say')).toBe(tomorrow);
    expect(await talk.say('say that agan')).toBe(tomorrow);
  });

  it('says it more briefly when it cannot answer twice in a row', async () => {
    const talk = talkTo(make());
    const first = await talk.say('explain quantum physics to me');
    const second = await talk.say('who painted the mona lisa');
    expect(second).toMatch(/either/);
    expect(second.length).toBeLessThan(first.length);
  });

  it('streams word by word and stops at once when it is cancelled', async () => {
    const cancel = new AbortController();
    const said: string[] = [];
    const messages = [
      {
        id: '1',
        role: 'user' as const,
        parts: [{ type: 'text' as const, text: 'help' }],
        createdAt: 0,
      },
    ];
    const run = async (): Promise<void> => {
      for await (const part of make().stream(
        { system: '', messages, tools: [] },
        { signal: cancel.signal },
      )) {
        if (part.type === 'text-delta') said.push(part.text);
        if (said.length === 3) cancel.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'aborted' });
    expect(said).toEqual(['I', ' can', ' tell']);
  });

  it('speaks a 24-hour clock where that is the custom', async () => {
    const afternoon = offlineAssistant({
      now: () => now + 12 * 3_600_000,
      timeZone: 'Europe/Berlin',
      locale: 'de-DE',
    });
    expect(await talkTo(afternoon).say('what time is it')).toBe('It is twenty two thirty.');
  });
});
