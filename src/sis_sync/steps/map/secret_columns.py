"""Columns of passwords and other secrets: no copy of a file that is kept has them."""

from sis_sync.core.fields import PASSWORD
from sis_sync.steps.map.columns import MESSAGE_HEADER, Columns, comparable
from sis_sync.steps.map.mapping import Mapping

# Written as `comparable` writes a header: in lower case, without spaces, underscores and hyphens.
SECRET_HEADER_WORDS: tuple[str, ...] = (
    *("password", "passwd", "passphrase", "passcode", "passkey", "pwd", "pin", "ssn", "socialsecurity"),
    *("secretcode", "secretword", "secretanswer", "passwort", "kennwort", "geheimzahl", "sozialversicherung"),
    *("motdepasse", "codesecret", "sécuritésociale", "securitesociale"),
    *("contraseña", "contrasena", "palavrapasse", "palavrachave", "senha", "seguridadsocial"),
    *("wachtwoord", "parola", "passord", "adgangskode", "kodeord", "lösenord", "losenord", "salasana"),
    *("hasło", "haslo", "heslo", "jelszó", "jelszo", "lozinka", "şifre", "пароль"),
    *("密码", "密碼", "パスワード", "비밀번호"),
)


def secret_positions(columns: Columns) -> frozenset[int]:
    """Return the columns that no field needs and that the mapping or their header marks as secret."""
    named = {position for position, header in enumerate(columns.header) if names_secret(header)}
    password = {columns.of_field[PASSWORD]} if PASSWORD in columns.of_field else set()
    return frozenset((named - (columns.used - password)) | password)


def kept_positions(columns: Columns, mapping: Mapping) -> tuple[int, ...]:
    """Return the columns that may be stored: those that feed a field or that the mapping names, but no secrets.

    The message column of our failed-rows file stays, because it changes how the other cells are read.
    """
    named = {comparable(header) for header in (*mapping.headers(), MESSAGE_HEADER)}
    wanted = columns.used | {place for place, header in enumerate(columns.header) if comparable(header) in named}
    return tuple(sorted(wanted - secret_positions(columns)))


def names_secret(header: str) -> bool:
    """Return True if the header contains a word for a secret, in any of the languages of the list."""
    return any(word in comparable(header) for word in SECRET_HEADER_WORDS)
