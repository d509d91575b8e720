"""One table of settings feeds the values, the errors, the help and the manual."""

from __future__ import annotations

import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from mapsi.errors import SettingError
from mapsi.settings import Secret, Settings, read_settings


def test_defaults_hold_where_nothing_is_set() -> None:
    settings = read_settings({})
    assert settings.page_size == 24
    assert settings.language == "ko"
    assert settings.allow_hosts == ()


def test_values_are_read_by_type() -> None:
    settings = read_settings(
        {
            "MAPSI_HOME": "/srv/mapsi",
            "MAPSI_ALLOW_HOSTS": "Shop.internal, 10.0.0.5",
            "MAPSI_BEHIND_TLS": "yes",
            "MAPSI_PAGE_SIZE": "12",
            "MAPSI_TAXONOMY": "paper17, mine.toml",
        }
    )
    assert settings.home == Path("/srv/mapsi")
    assert settings.allow_hosts == ("shop.internal", "10.0.0.5")
    assert settings.behind_tls is True
    assert settings.page_size == 12
    assert settings.taxonomy == ("paper17", "mine.toml")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAPSI_PAGE_SIZE", "many"),
        ("MAPSI_PAGE_SIZE", "0"),
        ("MAPSI_PAGE_SIZE", "9" * 5000),
        ("MAPSI_BEHIND_TLS", "perhaps"),
        ("MAPSI_LANGUAGE", "fr"),
    ],
)
def test_an_error_names_the_variable_and_the_value(variable: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({variable: value})
    assert variable in str(caught.value)
    assert value in str(caught.value)


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(SettingError, match="MAPSI_PAGESIZE"):
        read_settings({"MAPSI_PAGESIZE": "12"})


def test_what_kubernetes_sets_for_a_service_called_mapsi_is_no_setting() -> None:
    service = {"MAPSI_SERVICE_HOST": "10.0.0.1", "MAPSI_SERVICE_PORT": "8000", "MAPSI_SERVICE_PORT_HTTP": "8000",
               "MAPSI_PORT": "tcp://10.0.0.1:8000", "MAPSI_PORT_8000_TCP": "tcp://10.0.0.1:8000",
               "MAPSI_PORT_8000_TCP_PROTO": "tcp", "MAPSI_PORT_8000_TCP_PORT": "8000",
               "MAPSI_PORT_8000_TCP_ADDR": "10.0.0.1"}  # fmt: skip
    assert read_settings(service) == read_settings({})
    for name in ("MAPSI_PORT", "MAPSI_HOST", "MAPSI_SERVICE"):
        with pytest.raises(SettingError, match=f"no setting {name}"):
            read_settings({name: "8000"})


def test_line_ends_of_a_file_written_on_windows_are_none_of_the_value() -> None:
    settings = read_settings({"MAPSI_HOME": "/srv/mapsi\r", "MAPSI_LANGUAGE": "en\r", "MAPSI_SECRET_KEY": "rose bud \r\n",
                              "MAPSI_SMTP": "\r"})  # fmt: skip
    assert (settings.home, settings.language) == (Path("/srv/mapsi"), "en")
    assert settings.secret_key.reveal() == "rose bud "
    assert not settings.smtp


def test_a_home_of_blanks_is_refused() -> None:
    with pytest.raises(SettingError, match="expected a path"):
        read_settings({"MAPSI_HOME": "  "})


def test_an_override_wins_unless_it_is_none() -> None:
    assert read_settings({"MAPSI_PAGE_SIZE": "12"}, page_size=6).page_size == 6
    assert read_settings({"MAPSI_PAGE_SIZE": "12"}, page_size=None).page_size == 12


def test_secrets_hide_themselves() -> None:
    settings = read_settings({"MAPSI_SECRET_KEY": "rosebud", "MAPSI_DATABASE_URL": "mysql://u:rosebud@db/x"})
    assert "rosebud" not in repr(settings)
    assert "rosebud" not in f"{settings.secret_key} {settings.database_url}"
    assert settings.secret_key.reveal() == "rosebud"
    assert settings.secret_key == Secret("rosebud")


def test_a_secret_that_cannot_be_used_is_not_told() -> None:
    with pytest.raises(SettingError, match="MAPSI_ANSWERS") as told:
        read_settings({"MAPSI_ANSWERS": "http://:rosebud@queue"})
    assert "rosebud" not in str(told.value)


def test_no_secret_has_a_default() -> None:
    settings = read_settings({})
    secrets = [name for field in fields(settings) if isinstance(getattr(settings, (name := field.name)), Secret)]
    assert {"secret_key", "database_url", "naver_client_secret", "queue"} <= set(secrets)
    assert not any(getattr(settings, name) for name in secrets)


def test_the_manual_is_what_the_table_says() -> None:
    docs = Path(__file__).parents[1] / "docs"
    page = (docs / "settings.md").read_text("utf-8")
    written = runpy.run_path(str(docs / "write_settings.py"))["page"]()
    assert page == written, "docs/settings.md is stale: run `python docs/write_settings.py`"
    assert page.count("| `MAPSI_") - page.count("| `MAPSI_HOME` is") == len(fields(Settings))


def test_a_user_without_a_home_is_told_to_set_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user number without a name
    with pytest.raises(SettingError, match="MAPSI_HOME"):
        read_settings({})
    assert read_settings({"MAPSI_HOME": "/srv/mapsi"}).home == Path("/srv/mapsi")
    with pytest.raises(SettingError, match="no such user"):
        read_settings({"MAPSI_HOME": "~nobody-of-that-name/mapsi"})
