import { ProblemAlert } from '@cameleer/ui/problem_alert.tsx';
import { StatusGlyph } from '@cameleer/ui/status_mark.tsx';
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, bodyOf } from '../api/client.ts';
import { capabilitiesQuery, meQuery } from '../api/queries.ts';
import { basePath } from '../base_path.ts';
import icon from '../icon.svg';
import { goTo } from '../router.tsx';
import classes from './sign_in.module.css';

/** What the server says of a failed single sign-on, by its code. */
const failures: Record<string, string> = {
  denied: 'The provider says that you did not agree to sign in.',
  state: 'This sign-in took too long, was used before, or was begun in another browser. Please try again.',
  provider: 'The provider could not sign you in. Please try again, or ask your administrator.',
  token: 'What the provider said about you could not be verified. Ask your administrator.',
  wrong_tenant: 'Your account does not belong to the organization of this server.',
  not_admitted: 'Your account has no access to this server. Ask your administrator.',
  license_cap_exceeded: 'The licence allows no more users on this server. Ask your administrator.',
  group_overage:
    'The provider left your groups out because there are too many. Ask your administrator to send only those of this application.',
  unavailable: 'The provider cannot be reached at present. Please try again.',
};

export function SignInPage() {
  const { next, error } = useSearch({ from: '/sign-in' });
  const capabilities = useQuery(capabilitiesQuery);
  return (
    <main className={classes.page}>
      <div className={classes.card}>
        <img src={icon} alt="" width={40} height={40} />
        <h1 className={classes.title}>Sign in to Cameleer</h1>
        {capabilities.error && <ProblemAlert error={capabilities.error} onRetry={() => void capabilities.refetch()} />}
        {capabilities.data?.insecureTransport && (
          <div className={classes.warning} role="note">
            <StatusGlyph status="INCOMPLETE" />
            <span>
              This connection is plain HTTP: your password can be read on the way. Use HTTPS for anything but a first try.
            </span>
          </div>
        )}
        {error && (
          <div className={classes.warning} role="alert">
            <StatusGlyph status="FAILED" />
            <span>{failures[error] ?? failures['provider']}</span>
          </div>
        )}
        {capabilities.data?.oidc && (
          <Button
            component="a"
            fullWidth
            href={`${basePath}api/v1/auth/oidc/login?${new URLSearchParams({ returnTo: next ?? '/' }).toString()}`}
          >
            Sign in with single sign-on
          </Button>
        )}
        {!capabilities.data || capabilities.data.localLogin ? (
          <PasswordForm next={next} />
        ) : (
          !capabilities.data.oidc && <p>Nobody can sign in here at present. Ask your administrator.</p>
        )}
        {capabilities.data && <footer className={classes.version}>Version {capabilities.data.version}</footer>}
      </div>
    </main>
  );
}

function PasswordForm({ next }: { next: string | undefined }) {
  const client = useQueryClient();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: async () => bodyOf(await api.POST('/api/v1/auth/login', { body: { username, password } })),
    onSuccess: (me) => {
      client.setQueryData(meQuery.queryKey, me);
      goTo(next);
    },
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        login.mutate();
      }}
    >
      {login.error && <ProblemAlert error={login.error} />}
      <TextInput
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        withAsterisk={false}
        autoFocus
        value={username}
        onChange={(event) => setUsername(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Button type="submit" loading={login.isPending} fullWidth mt={4}>
        Sign in
      </Button>
    </form>
  );
}
