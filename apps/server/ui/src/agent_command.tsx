import { CodeBlock } from '@cameleer/ui/code_block.tsx';
import { basePath } from './base_path.ts';

/** The command that brings a first exchange in. */
export function AgentCommand({ environment }: { environment: string }) {
  const server = window.location.origin + basePath.slice(0, -1);
  const command = [
    'export CAMELEER_API_KEY=<API key of the environment, printed at the first start>',
    `export CAMELEER_AGENT_SERVERURL=${server}`,
    `export CAMELEER_AGENT_ENVIRONMENT=${environment}`,
    'export CAMELEER_AGENT_APPLICATION=my-app',
    'java -javaagent:cameleer-agent.jar -jar my-app.jar',
  ].join('\n');
  return <CodeBlock text={command} what="agent command" wrap />;
}
