# bash completion for termmail. Made by docs/make.py from the program's parser: change that, then run make docs.

_termmail_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}"); }
_termmail_nothing() { COMPREPLY=(); }
_termmail_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
}
_termmail_folders() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
}

_termmail() {
  local command='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      --config | --data) ((index++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[index]}; break ;;
    esac
  done
  case ${COMP_WORDS[COMP_CWORD - 1]} in
    --attach | --config | --file | --tls-ca-file) _termmail_files; return ;;
    --data) _termmail_folders; return ;;
    --account | --bcc | --body | --cc | --display-name | --limit | --password-command | --pop3-host | --pop3-port | --pop3-username | --smtp-host | --smtp-port | --smtp-username | --subject | --to | -F | -f | -o | -r) _termmail_nothing; return ;;
    --folder) _termmail_words 'Inbox Drafts Outbox Sent Archive Spam Trash'; return ;;
    --format) _termmail_words 'mbox maildir eml'; return ;;
    --server) _termmail_words 'pop3 smtp'; return ;;
    --pop3-security | --smtp-security) _termmail_words 'tls starttls none'; return ;;
  esac
  case $command in
    '') _termmail_words '-h --help --version --config --data demo sync list search show delete save import export send sendmail outbox account doctor' ;;
    demo) _termmail_words '-h --help --serve' ;;
    sync) _termmail_words '-h --help --account --full --json' ;;
    list) _termmail_words '-h --help --account --folder --limit --json' ;;
    search) _termmail_words '-h --help --account --limit --json' ;;
    show) _termmail_words '-h --help --file --headers --raw --json' ;;
    delete) _termmail_words '-h --help --for-good --now --json' ;;
    save) if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then _termmail_words '-h --help --json'; else _termmail_folders; fi ;;
    import) if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then _termmail_words '-h --help --account --folder --json'; else _termmail_files; fi ;;
    export) if [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then _termmail_words '-h --help --format --json'; else _termmail_files; fi ;;
    send) _termmail_words '-h --help --to --cc --bcc --subject --body --attach --account --json' ;;
    sendmail) _termmail_words '-h --help -t -f -r -i -o -F --json' ;;
    outbox) _termmail_words '-h --help --account --sure --json list retry cancel' ;;
    account) _termmail_words '-h --help --display-name --pop3-host --pop3-port --pop3-security --pop3-username --smtp-host --smtp-port --smtp-security --smtp-username --tls-ca-file --allow-cleartext --password-command --password-stdin --server --no-test --json list add test remove password' ;;
    doctor) _termmail_words '-h --help --account --rebuild' ;;
  esac
}

complete -F _termmail termmail
