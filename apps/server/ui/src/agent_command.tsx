import { CodeBlock } from '@cameleer/ui/code_block.tsx';
import { basePath } from './base_path.ts';

/** The command that brings a first exchange in. */
export function AgentCommand({ environment }: { environment: string }) {
  const server = window.location.origin + basePath.slice(0, -1);
  const command = [
    "export CAMELEER_API_KEY='cmk_…'",
    `export CAMELEER_AGENT_SERVERURL=${server}`,
    `export CAMELEER_AGENT_ENVIRONMENT=${environment}`,
    'export CAMELEER_AGENT_APPLICATION=my-app',
    'java -javaagent:cameleer-agent.jar -jar my-app.jar',
  ].join('\n');
  return (
    <>
      <CodeBlock text={command} what="agent command" wrap />
      <p>The API key belongs to the environment; the first start of the server prints the one of “default”.</p>
    </>
  );
}
