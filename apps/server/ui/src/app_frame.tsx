import { Brand, Frame } from '@cameleer/ui/frame.tsx';
import { KeyboardHelp } from '@cameleer/ui/keyboard_help.tsx';
import { SchemeControl } from '@cameleer/ui/scheme_control.tsx';
import { ActionIcon, Button, Menu, Select, Tooltip } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { ActivityLogIcon, ChevronDownIcon, CubeIcon, ExitIcon, KeyboardIcon } from '@radix-ui/react-icons';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouteContext, useRouter } from '@tanstack/react-router';
import { api } from './api/client.ts';
import { useEnvironment } from './environment.ts';
import { keepEnvironment } from './exchanges/view_state.ts';
import icon from './icon.svg';

const shortcuts = [
  { keys: ['/'], does: 'Search' },
  { keys: ['j', 'k'], does: 'Next and previous row' },
  { keys: ['Enter'], does: 'Open the row' },
  { keys: ['Esc'], does: 'Close the panel' },
  { keys: ['r'], does: 'Refresh' },
  { keys: ['?'], does: 'This list' },
];

export function AppFrame() {
  const [help, { open, close }] = useDisclosure(false);
  useHotkeys([['shift+?', open], ['?', open]]);
  return (
    <Frame
      brand={<Brand icon={icon} />}
      controls={
        <>
          <EnvironmentSelect />
          <Tooltip label="Keyboard shortcuts (?)">
            <ActionIcon variant="subtle" color="gray" aria-label="Keyboard shortcuts" onClick={open}>
              <KeyboardIcon />
            </ActionIcon>
          </Tooltip>
          <UserMenu />
        </>
      }
      navigation={
        <>
          <Link to="/exchanges" search={keepEnvironment}>
            <ActivityLogIcon />
            Exchanges
          </Link>
          <Link to="/agents" search={keepEnvironment}>
            <CubeIcon />
            Agents
          </Link>
        </>
      }
    >
      <Outlet />
      <KeyboardHelp opened={help} onClose={close} shortcuts={shortcuts} />
    </Frame>
  );
}

function EnvironmentSelect() {
  const { environment, environments, choose } = useEnvironment();
  return (
    <Select
      size="xs"
      w={180}
      aria-label="Environment"
      leftSection={<span style={{ fontSize: 11 }}>Env</span>}
      leftSectionWidth={38}
      allowDeselect={false}
      value={environment ?? null}
      onChange={(slug) => slug && choose(slug)}
      data={environments.map((item) => ({ value: item.slug, label: item.displayName }))}
    />
  );
}

function UserMenu() {
  const { me } = useRouteContext({ from: '/signed-in' });
  const client = useQueryClient();
  const router = useRouter();
  const navigate = useNavigate();
  const signOut = async () => {
    // The provider's session has an end of its own; without it the next sign-in would ask nobody.
    const { data } = await api.GET('/api/v1/auth/oidc/logout-url');
    await api.POST('/api/v1/auth/logout');
    client.clear();
    if (data?.url) {
      window.location.assign(data.url);
      return;
    }
    await navigate({ to: '/sign-in', search: { next: undefined } });
    await router.invalidate();
  };
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button size="xs" variant="subtle" color="gray" rightSection={<ChevronDownIcon />}>
          {me.displayName}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.username} · {me.roles.join(', ') || 'no role'}
        </Menu.Label>
        <div style={{ padding: '2px 8px 8px' }}>
          <SchemeControl />
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<ExitIcon />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
