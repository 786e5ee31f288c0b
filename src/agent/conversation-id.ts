/** Names for conversations nobody has named. */

/** A random id. Not `crypto.randomUUID`, which a page that was not served over https lacks. */
export function newConversationId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
