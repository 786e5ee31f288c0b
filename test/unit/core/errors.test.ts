import { describe, expect, it } from 'vitest';
import { AntiphonError, deserializeError, serializeError } from '../../../src/core/errors.ts';

describe('serializeError', () => {
  it('keeps everything but the class, causes included, and survives structured clone', () => {
    const error = new AntiphonError('provider-network', 'no answer', {
      hint: 'Check the URL.',
      retryable: true,
      stage: 'provider',
      details: { status: 503 },
      cause: new TypeError('failed to fetch', { cause: new Error('socket') }),
    });
    const data = structuredClone(serializeError(error));
    const back = deserializeError(data);
    expect(AntiphonError.is(back, 'provider-network')).toBe(true);
    expect(back).toMatchObject({
      message: 'no answer',
      hint: 'Check the URL.',
      retryable: true,
      stage: 'provider',
      details: { status: 503 },
      stack: error.stack,
    });
    expect(data.cause).toMatchObject({
      message: 'failed to fetch',
      cause: { message: 'socket' },
    });
    expect(data.cause?.cause).not.toHaveProperty('cause');
  });

  it.each([
    ['a foreign error', new Error('odd'), 'odd'],
    ['a string', 'odd', 'odd'],
    ['nothing', undefined, 'undefined'],
  ])('takes %s', (_, thrown, message) => {
    expect(serializeError(thrown)).toMatchObject({ code: 'unknown', message });
  });

  it('tells of details that cannot be cloned at least what they are', () => {
    const odd = Object.assign(Object.create(null) as object, { act: () => 1 });
    const details = { status: 503, act: () => 1, odd, list: [1] };
    const cause = new AntiphonError('stage', 'inner', { details: { act: () => 1 } });
    const data = structuredClone(
      serializeError(new AntiphonError('stage', 'outer', { details, cause })),
    );
    expect(data.details).toEqual({ status: 503, act: '[function]', odd: '[object]', list: [1] });
    expect(data.cause?.details).toEqual({ act: '[function]' });
  });

  it('does not follow an error that is its own cause for ever', () => {
    const first = new Error('first');
    const second = new Error('second', { cause: first });
    first.cause = second;
    let depth = 0;
    for (let data = serializeError(first).cause; data; data = data.cause) depth += 1;
    expect(depth).toBeLessThan(20);
  });

  it('calls what an abort throws "aborted"', () => {
    expect(serializeError(AbortSignal.abort().reason).code).toBe('aborted');
  });
});
