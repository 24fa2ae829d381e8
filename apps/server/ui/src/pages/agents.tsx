import { EmptyState } from '@cameleer/ui/empty_state.tsx';
import { formatAgo, formatCount, formatDuration, formatInstant, zoneName } from '@cameleer/ui/format.ts';
import { ProblemAlert } from '@cameleer/ui/problem_alert.tsx';
import { StatusMark } from '@cameleer/ui/status_mark.tsx';
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { AgentCommand } from '../agent_command.tsx';
import type { Agent } from '../api/client.ts';
import { agentsQuery } from '../api/queries.ts';
import { useEnvironment } from '../environment.ts';
import classes from './agents.module.css';

export function AgentsPage() {
  const { environment, error } = useEnvironment();
  const agents = useQuery({ ...agentsQuery(environment ?? ''), enabled: environment !== undefined, refetchInterval: 10_000 });
  const problem = error ?? agents.error;
  const items = agents.data?.items;
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>
        Agents {items && <span>{formatCount(items.length, 'agent')}</span>}
      </h1>
      {problem && <ProblemAlert error={problem} onRetry={() => void agents.refetch()} />}
      {!items && !problem && <Skeleton h={160} />}
      {items?.length === 0 && environment && (
        <EmptyState title="No agent has registered here yet">
          <p>Start a Camel application with the agent attached:</p>
          <AgentCommand environment={environment} />
        </EmptyState>
      )}
      {items && items.length > 0 && <AgentTable agents={items} now={agents.dataUpdatedAt} />}
    </div>
  );
}

function AgentTable({ agents, now }: { agents: readonly Agent[]; now: number }) {
  return (
    <div className={classes.scroller} tabIndex={0} role="region" aria-label="Agents">
      <table className={classes.table}>
        <thead>
          <tr>
            {['State', 'Agent', 'Application', 'Routes', 'Camel', 'Agent version', 'Last heartbeat', 'Clock skew', `Registered (${zoneName()})`].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {agents.map((agent) => (
            <tr key={agent.agentId}>
              <td>
                <StatusMark status={agent.state} />
              </td>
              <td>
                {agent.displayName}
                {agent.displayName !== agent.agentId && <div className={classes.sub}>{agent.agentId}</div>}
              </td>
              <td>{agent.application}</td>
              <td title={agent.routeIds.join('\n')}>{formatCount(agent.routeIds.length, 'route')}</td>
              <td>{[agent.camelVersion, agent.runtime].filter(Boolean).join(' · ') || '–'}</td>
              <td>{agent.version ?? '–'}</td>
              <td title={agent.lastHeartbeatAt}>{formatAgo(agent.lastHeartbeatAt, now)}</td>
              <td>{agent.clockSkewMs === undefined ? '–' : skew(agent.clockSkewMs)}</td>
              <td title={agent.registeredAt}>{formatInstant(agent.registeredAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const skew = (ms: number) => (ms < 0 ? `${formatDuration(-ms)} behind` : ms === 0 ? 'none' : `${formatDuration(ms)} ahead`);
