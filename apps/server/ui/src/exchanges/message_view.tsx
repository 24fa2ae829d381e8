import { CodeBlock } from '@cameleer/ui/code_block.tsx';
import { formatDuration } from '@cameleer/ui/format.ts';
import { Tabs } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { ExecutionDetail, ProcessorNode } from '../api/client.ts';
import classes from './message_view.module.css';
import { readable } from './readable.ts';

type Headers = Readonly<Record<string, string>>;

/** What was captured of a processor or of the whole route: bodies, headers, attributes, error. */
export function MessageView({ of, name }: { of: ProcessorNode | ExecutionDetail; name: string }) {
  const truncated = of.truncated ?? [];
  const attributes = Object.entries(of.attributes);
  const failed = of.errorMessage !== undefined || of.errorStackTrace !== undefined;
  const [tab, setTab] = useState<string | null>(failed && 'seq' in of ? 'error' : 'message');
  return (
    <section className={classes.section} aria-label={`Captured of ${name}`}>
      <h3 className={classes.heading}>{name}</h3>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="message">Bodies</Tabs.Tab>
          <Tabs.Tab value="headers">Headers</Tabs.Tab>
          {failed && <Tabs.Tab value="error">Error</Tabs.Tab>}
          {attributes.length > 0 && <Tabs.Tab value="attributes">Attributes</Tabs.Tab>}
          {'seq' in of && <Tabs.Tab value="details">Details</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="message" pt={10}>
          <Sides
            input={<BodyOf text={of.inputBody} what="input body" cut={truncated.includes('inputBody')} />}
            output={<BodyOf text={of.outputBody} what="output body" cut={truncated.includes('outputBody')} />}
          />
        </Tabs.Panel>
        <Tabs.Panel value="headers" pt={10}>
          <Sides input={<HeadersOf headers={of.inputHeaders} />} output={<HeadersOf headers={of.outputHeaders} />} />
        </Tabs.Panel>
        <Tabs.Panel value="error" pt={10}>
          <CodeBlock text={of.errorStackTrace ?? of.errorMessage ?? ''} what="error" maxHeight={320} />
        </Tabs.Panel>
        <Tabs.Panel value="attributes" pt={10}>
          <Pairs pairs={attributes} />
        </Tabs.Panel>
        <Tabs.Panel value="details" pt={10}>{'seq' in of && <Pairs pairs={detailsOf(of)} />}</Tabs.Panel>
      </Tabs>
    </section>
  );
}

function Sides({ input, output }: { input: ReactNode; output: ReactNode }) {
  return (
    <div className={classes.sides}>
      <div>
        <h4 className={classes.side}>Input</h4>
        {input}
      </div>
      <div>
        <h4 className={classes.side}>Output</h4>
        {output}
      </div>
    </div>
  );
}

function BodyOf({ text, what, cut }: { text: string | undefined; what: string; cut: boolean }) {
  if (text === undefined) return <p className={classes.none}>Not captured</p>;
  if (text === '') return <p className={classes.none}>Empty</p>;
  return (
    <>
      <CodeBlock text={readable(text)} what={what} wrap maxHeight={320} />
      {cut && <p className={classes.none}>Stored cut: the body was longer.</p>}
    </>
  );
}

function HeadersOf({ headers }: { headers: Headers | undefined }) {
  if (headers === undefined) return <p className={classes.none}>Not captured</p>;
  const pairs = Object.entries(headers).sort(([a], [b]) => a.localeCompare(b));
  return pairs.length === 0 ? <p className={classes.none}>None</p> : <Pairs pairs={pairs} />;
}

function Pairs({ pairs }: { pairs: readonly (readonly [string, string])[] }) {
  return (
    <dl className={classes.pairs}>
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function detailsOf(node: ProcessorNode): [string, string][] {
  const rows: [string, string | undefined][] = [
    ['Processor id', node.processorId],
    ['Type', node.processorType],
    ['Endpoint', node.endpointUri],
    ['Endpoint, resolved', node.resolvedEndpointUri],
    ['Started (UTC)', node.startTime],
    ['Duration', node.durationMs === undefined ? undefined : formatDuration(node.durationMs)],
    ['Step', `${node.seq + 1} in order of execution`],
    ['Filter', node.filterMatched === undefined ? undefined : node.filterMatched ? 'let the message through' : 'kept the message out'],
    ['Duplicate', node.duplicateMessage === undefined ? undefined : node.duplicateMessage ? 'seen before' : 'not seen before'],
    ['Circuit breaker', node.circuitBreakerState],
  ];
  return rows.filter((row): row is [string, string] => row[1] !== undefined);
}
