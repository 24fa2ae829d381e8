import { describe, expect, it } from 'vitest';
import type { ProcessorNode } from '../api/client.ts';
import { findBySeq, findFailed, flattenTree, iterationLabel, spanOf } from './tree.ts';

const start = '2026-11-22T01:00:00.000Z';
const at = (ms: number) => new Date(Date.parse(start) + ms).toISOString();
const node = (seq: number, more: Partial<ProcessorNode> = {}): ProcessorNode => ({
  seq,
  processorId: `p${seq}`,
  processorType: 'to',
  status: 'COMPLETED',
  startTime: start,
  attributes: {},
  children: [],
  ...more,
});
const span = { startMs: Date.parse(start), durationMs: 100 };
const none = new Set<number>();

const tree = [
  node(0),
  node(1, { children: [node(2, { splitIndex: 0, children: [node(3, { splitIndex: 0 })] }), node(4, { splitIndex: 1 })] }),
  node(5),
];

describe('flattening', () => {
  it('gives depth-first lines with their depth', () =>
    expect(flattenTree(tree, none, span).map((row) => [row.node.seq, row.depth])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 1],
      [5, 0],
    ]));
  it('hides what is inside a collapsed node', () => {
    const rows = flattenTree(tree, new Set([2]), span);
    expect(rows.map((row) => row.node.seq)).toEqual([0, 1, 2, 4, 5]);
    expect(rows[2]).toMatchObject({ expandable: true, expanded: false });
    expect(rows[0]).toMatchObject({ expandable: false, expanded: false });
  });
  it('survives a tree of 20,000 levels', () => {
    let deep = node(20_000, { status: 'FAILED' });
    for (let seq = 19_999; seq >= 0; seq -= 1) deep = node(seq, { children: [deep] });
    expect(flattenTree([deep], none, span)).toHaveLength(20_001);
    expect(findFailed([deep])?.seq).toBe(20_000);
  });
  it('places each line within the time of the exchange', () => {
    const rows = flattenTree(
      [
        node(0, { startTime: at(25), durationMs: 50 }),
        node(1, { startTime: at(90), durationMs: 50 }),
        node(2, { startTime: at(-10), durationMs: 10 }),
        node(3, { startTime: at(500) }),
      ],
      none,
      span,
    );
    expect(rows.map((row) => [row.offset, row.width])).toEqual([
      [0.25, 0.5],
      [0.9, expect.closeTo(0.1)],
      [0, 0.1],
      [1, 0],
    ]);
  });
});

it('covers processors that outlive the exchange', () => {
  expect(spanOf(start, 10, [node(0, { startTime: at(5), durationMs: 40 })]).durationMs).toBe(45);
  expect(spanOf(start, undefined, []).durationMs).toBe(1);
});

describe('an iteration', () => {
  it.each([
    [{ splitIndex: 0, iterationSize: 3 }, {}, 'split 1 of 3'],
    [{ splitIndex: 2 }, {}, 'split 3'],
    [{ splitIndex: 2 }, { splitIndex: 2 }, undefined],
    [{ splitIndex: 2, loopIndex: 0 }, { splitIndex: 2 }, 'loop 1'],
    [{ multicastIndex: 1, iterationSize: 2 }, {}, 'branch 2 of 2'],
    [{ iteration: 4, iterationSize: 5 }, {}, 'iteration 5 of 5'],
    [{ iteration: 2, splitIndex: 2 }, { splitIndex: 2 }, undefined],
    [{}, {}, undefined],
  ])('%j inside %j reads %s', (own, outer, label) => expect(iterationLabel(node(1, own), node(0, outer))).toBe(label));
});

describe('the failing processor', () => {
  const failing = [
    node(0, { status: 'FAILED', children: [node(1), node(2, { status: 'FAILED', processorId: 'reserve' })] }),
    node(3, { status: 'FAILED', processorId: 'later' }),
  ];
  it('is the first failed one with no failed one inside', () => expect(findFailed(failing)?.seq).toBe(2));
  it('is the named one when it is there', () => {
    expect(findFailed(failing, 'later')?.seq).toBe(3);
    expect(findFailed(failing, 'elsewhere')?.seq).toBe(2);
  });
  it('is absent when nothing failed', () => expect(findFailed(tree)).toBeUndefined());
});

it('finds a processor by its position', () => {
  expect(findBySeq(tree, 3)?.processorId).toBe('p3');
  expect(findBySeq(tree, 9)).toBeUndefined();
});
