const largestFormatted = 256 * 1024;

/** A body for reading: JSON objects and arrays are indented, anything else stays as it is. */
export function readable(body: string): string {
  if (body.length > largestFormatted || !/^\s*[[{]/.test(body)) return body;
  try {
    const value: unknown = JSON.parse(body);
    const indented = JSON.stringify(value, null, 2);
    // A number that does not survive parsing (a long id) must be shown as it was sent.
    return digitsOf(indented) === digitsOf(body) ? indented : body;
  } catch {
    return body;
  }
}

const digitsOf = (text: string): string => text.replace(/[^0-9.eE+-]/g, '');

/** An error for one line: the first line, without the package of the exception's class. */
export function shortError(message: string): string {
  return (message.split('\n', 1)[0] ?? '').replace(/^(?:[a-z_]\w*\.)+(?=[A-Z])/, '');
}
