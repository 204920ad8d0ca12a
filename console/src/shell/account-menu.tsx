import { publicApi } from '@rushlight/contracts';
import { KeyRound, LogOut, UserRound } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/api.ts';
import { endSession, type Session } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Menu, MenuContent, MenuItem, MenuLabel, MenuSeparator, MenuTrigger } from '../ui/menu.tsx';
import { PasswordDialog } from './password-dialog.tsx';

export function AccountMenu({ user }: { user: Session }) {
  const [changing, setChanging] = useState(false);
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label={`Account of ${user.studentId}`}>
            <UserRound className="size-5" />
          </Button>
        </MenuTrigger>
        <MenuContent>
          <MenuLabel>
            Logged in as <strong className="text-foreground">{user.studentId}</strong> ({user.role})
          </MenuLabel>
          <MenuSeparator />
          <MenuItem onSelect={() => setChanging(true)}>
            <KeyRound /> Change password
          </MenuItem>
          <MenuItem onSelect={() => void logOut(user)}>
            <LogOut /> Log out
          </MenuItem>
        </MenuContent>
      </Menu>
      <PasswordDialog open={changing} onOpenChange={setChanging} user={user} />
    </>
  );
}

/** Leaves this tab at once; the token dies on the platform's side even when the answer is lost. */
async function logOut(user: Session): Promise<void> {
  const told = call(publicApi.logout, {}, { timeoutMs: 3_000 }).catch(() => undefined);
  endSession(user.token);
  await told;
}
