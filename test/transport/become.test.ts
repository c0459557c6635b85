import { describe, expect, test } from 'vitest'
import { Secret } from '../../src/model/secret.ts'
import { rootStart, sudoWatch } from '../../src/transport/become.ts'

const command = { plain: 'exec PROGRAM', elevated: 'PROGRAM' }
const password = new Secret('become password', Buffer.from('s3cr\xe9t'))
const failed = { code: 1, signal: undefined }

describe('the command', () => {
  test('root and no become run it as it is', () => {
    expect(rootStart('h', { method: 'none' }, false, command)).toEqual({ command: 'exec PROGRAM' })
    expect(rootStart('h', { method: 'sudo', password }, true, command)).toEqual({ command: 'exec PROGRAM' })
  })

  test('sudo gets the constant words after --, a fresh prompt, and never the password', () => {
    const one = rootStart('h', { method: 'sudo', password }, false, command).command
    const two = rootStart('h', { method: 'sudo', password }, false, command).command
    expect(one).toMatch(/^exec \/usr\/bin\/env LC_ALL=C sudo -S -p kmsfleet-sudo-[0-9a-f]{24} -- PROGRAM$/)
    expect(one).not.toBe(two)
    expect(one).not.toContain('s3cr')
  })
})

describe('the watch over sudo', () => {
  const watch = (withPassword: boolean) =>
    sudoWatch('h', withPassword ? { method: 'sudo', password } : { method: 'sudo' }, 'NONCE')

  test('says nothing to other text', () => {
    expect(
      watch(true).onStderr('We trust you have received the usual lecture. Password: NONC'),
    ).toBeUndefined()
  })
  test('answers a prompt that arrives in pieces, once, with one line', () => {
    const sudo = watch(true)
    expect(sudo.onStderr('lecture\nNO')).toBeUndefined()
    expect(sudo.onStderr('NCE')).toEqual({ send: Buffer.concat([password.reveal(), Buffer.from('\n')]) })
    expect(sudo.onStderr('more')).toBeUndefined()
  })
  test('a second prompt is a wrong password and is not answered', () => {
    const sudo = watch(true)
    sudo.onStderr('NONCE')
    expect(sudo.onStderr('Sorry, try again.\nNONCE')).toMatchObject({
      fail: { code: 'transport.sudo-password' },
    })
  })
  test('two prompts at once are not answered at all', () => {
    expect(watch(true).onStderr('NONCENONCE')).toMatchObject({ fail: { code: 'transport.sudo-password' } })
  })
  test('a prompt without a password names the options', () => {
    const answer = watch(false).onStderr('NONCE')
    const error = answer !== undefined && 'fail' in answer ? answer.fail : undefined
    expect(error?.code).toBe('transport.sudo-password')
    expect(error?.hint).toContain('--become-password-file')
  })

  test.each([
    ['ops is not in the sudoers file.', 'transport.sudo-refused', /not allowed/],
    ['Sorry, user ops is not allowed to execute x as root on h.', 'transport.sudo-refused', /not allowed/],
    ['sudo: sorry, you must have a tty to run sudo', 'transport.sudo-refused', /requiretty/],
    ['/usr/bin/env: ‘sudo’: No such file or directory', 'transport.sudo-refused', /no sudo/],
    ["env: can't execute 'sudo': No such file or directory", 'transport.sudo-refused', /no sudo/],
    ['sudo: a password is required', 'transport.sudo-refused', /could not be asked/],
  ])('%s', (stderr, code, message) => {
    const sudo = watch(true)
    sudo.onStderr(stderr)
    expect(sudo.onEnd(failed)?.code).toBe(code)
    expect(sudo.onEnd(failed)?.message).toMatch(message)
  })
  test('one wrong guess allowed: sudo ends without a second prompt', () => {
    const sudo = watch(true)
    sudo.onStderr('NONCE')
    sudo.onStderr('sudo: 1 incorrect password attempt\n')
    expect(sudo.onEnd(failed)).toMatchObject({ code: 'transport.sudo-password' })
  })
  test('a program that fails for a reason of its own is not sudo’s failure', () => {
    const sudo = watch(true)
    sudo.onStderr('sh: dd: not found\n')
    expect(sudo.onEnd({ code: 98, signal: undefined })).toBeUndefined()
  })
})
