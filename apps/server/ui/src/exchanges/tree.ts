import type { ProcessorNode } from '../api/client.ts';

/** One visible line of the processor tree. */
export interface TreeRow {
  node: ProcessorNode;
  /** Nesting from 0. */
  depth: number;
  expandable: boolean;
  expanded: boolean;
  /** Which iteration of split, loop or multicast begins here, such as `split 2 of 3`. */
  iteration?: string;
  /** Place in the time of the whole exchange, as shares from 0 to 1. */
  offset: number;
  width: number;
}

export interface Span {
  startMs: number;
  durationMs: number;
}

/** The time that the tree covers: the exchange's own, widened by processors that outlive it. */
export function spanOf(startTime: string, durationMs: number | undefined, nodes: readonly ProcessorNode[]): Span {
  const startMs = Date.parse(startTime);
  let endMs = startMs + (durationMs ?? 0);
  visit(nodes, (node) => {
    endMs = Math.max(endMs, Date.parse(node.startTime) + (node.durationMs ?? 0));
  });
  return { startMs, durationMs: Math.max(endMs - startMs, 1) };
}

/** Depth-first lines without those below a collapsed node. Iterative: a recorded tree may be very deep. */
export function flattenTree(nodes: readonly ProcessorNode[], collapsed: ReadonlySet<number>, span: Span): TreeRow[] {
  const rows: TreeRow[] = [];
  const pending: { node: ProcessorNode; parent?: ProcessorNode; depth: number }[] = [];
  const push = (children: readonly ProcessorNode[], depth: number, parent?: ProcessorNode) => {
    for (let i = children.length - 1; i >= 0; i -= 1) pending.push({ node: children[i]!, parent, depth });
  };
  push(nodes, 0);
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { node, parent, depth } = next;
    const expandable = node.children.length > 0;
    const expanded = expandable && !collapsed.has(node.seq);
    rows.push({ node, depth, expandable, expanded, iteration: iterationLabel(node, parent), ...placeIn(span, node) });
    if (expanded) push(node.children, depth + 1, node);
  }
  return rows;
}

function placeIn(span: Span, node: ProcessorNode): { offset: number; width: number } {
  const share = (ms: number) => Math.min(Math.max(ms / span.durationMs, 0), 1);
  const offset = share(Date.parse(node.startTime) - span.startMs);
  return { offset, width: Math.min(share(node.durationMs ?? 0), 1 - offset) };
}

const indices = [
  ['splitIndex', 'split'],
  ['loopIndex', 'loop'],
  ['multicastIndex', 'branch'],
] as const;

/** Counted from 1, and only where an iteration begins: what is inside the same one does not repeat it. */
export function iterationLabel(node: ProcessorNode, parent?: ProcessorNode): string | undefined {
  const ofSize = node.iterationSize === undefined ? '' : ` of ${node.iterationSize}`;
  for (const [member, word] of indices) {
    const index = node[member];
    if (index !== undefined && index !== parent?.[member]) return `${word} ${index + 1}${ofSize}`;
  }
  if (node.iteration === undefined || node.iteration === parent?.iteration) return undefined;
  return indices.some(([member]) => node[member] !== undefined) ? undefined : `iteration ${node.iteration + 1}${ofSize}`;
}

/** The processor that broke the exchange: the named one, else the first failed one with no failed one inside. */
export function findFailed(nodes: readonly ProcessorNode[], failedProcessorId?: string): ProcessorNode | undefined {
  let named: ProcessorNode | undefined;
  let first: ProcessorNode | undefined;
  visit(nodes, (node) => {
    if (node.status !== 'FAILED') return;
    if (node.processorId === failedProcessorId) named ??= node;
    if (!node.children.some((child) => child.status === 'FAILED')) first ??= node;
  });
  return named ?? first;
}

export function findBySeq(nodes: readonly ProcessorNode[], seq: number): ProcessorNode | undefined {
  let found: ProcessorNode | undefined;
  visit(nodes, (node) => {
    if (node.seq === seq) found ??= node;
  });
  return found;
}

function visit(nodes: readonly ProcessorNode[], see: (node: ProcessorNode) => void): void {
  const pending = [...nodes].reverse();
  for (let node = pending.pop(); node; node = pending.pop()) {
    see(node);
    for (let i = node.children.length - 1; i >= 0; i -= 1) pending.push(node.children[i]!);
  }
}
