/** An instant in the form of a datetime-local input: the browser's zone, seconds. */
export function localInput(iso: string): string {
  const time = new Date(iso);
  const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}
