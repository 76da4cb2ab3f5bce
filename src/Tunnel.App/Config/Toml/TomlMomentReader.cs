using System.Diagnostics.CodeAnalysis;

namespace Tunnel.App.Config.Toml;

/// <summary>Dates and times (RFC 3339) from one word of the text.</summary>
internal ref struct TomlMomentReader
{
    private ReadOnlySpan<char> _rest;
    private bool _failed;

    private TomlMomentReader(ReadOnlySpan<char> token) => _rest = token;

    /// <summary>Four digits and a dash, or two and a colon: no number looks so.</summary>
    public static bool LooksLikeMoment(string token) => IsDate(token) || token is [_, _, ':', ..] && TomlText.IsDigit(token[0]);

    public static bool TryRead(string token, out TomlMoment moment, [NotNullWhen(false)] out string? problem)
    {
        var reader = new TomlMomentReader(token);
        moment = IsDate(token) ? reader.ReadDateTime() : reader.ReadTime(new(TomlMomentKind.LocalTime));
        problem = reader._failed || !reader._rest.IsEmpty
            ? "this is not a date or time: 1979-05-27T07:32:00Z, 1979-05-27T07:32:00, 1979-05-27 or 07:32:00"
            : CheckRanges(moment);
        return problem is null;
    }

    private static bool IsDate(string token) =>
        token is [_, _, _, _, '-', ..] && token.AsSpan(0, 4).IndexOfAnyExceptInRange('0', '9') < 0;

    private static string? CheckRanges(TomlMoment moment)
    {
        if (moment.Kind != TomlMomentKind.LocalTime && !IsDay(moment.Year, moment.Month, moment.Day))
            return "there is no such day";
        if (moment is { Hour: > 23 } or { Minute: > 59 } or { Second: > 60 })
            return "there is no such time of day";
        return null;
    }

    /// <summary>The year 0 is a leap year, as 400 is; <see cref="DateTime"/> does not have it.</summary>
    private static bool IsDay(int year, int month, int day) =>
        month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year == 0 ? 400 : year, month);

    private TomlMoment ReadDateTime()
    {
        var date = new TomlMoment(TomlMomentKind.LocalDate, Year: Digits(4));
        Expect('-');
        date = date with { Month = Digits(2) };
        Expect('-');
        date = date with { Day = Digits(2) };
        if (_failed || _rest.IsEmpty)
            return date;

        if (_rest[0] is not ('T' or 't' or ' '))
            _failed = true;
        _rest = _rest[1..];
        return ReadOffset(ReadTime(date with { Kind = TomlMomentKind.LocalDateTime }));
    }

    private TomlMoment ReadTime(TomlMoment moment)
    {
        moment = moment with { Hour = Digits(2) };
        Expect(':');
        moment = moment with { Minute = Digits(2) };
        Expect(':');
        moment = moment with { Second = Digits(2) };
        return _rest is ['.', ..] ? moment with { Nanosecond = ReadFraction() } : moment;
    }

    private int ReadFraction()
    {
        _rest = _rest[1..];
        int count = 0;
        int nanoseconds = 0;
        for (; !_rest.IsEmpty && TomlText.IsDigit(_rest[0]); _rest = _rest[1..], count++)
        {
            if (count < 9)
                nanoseconds = nanoseconds * 10 + (_rest[0] - '0');
        }

        _failed |= count == 0;
        for (; count < 9; count++)
            nanoseconds *= 10;
        return nanoseconds;
    }

    private TomlMoment ReadOffset(TomlMoment local)
    {
        if (_failed || _rest.IsEmpty)
            return local;

        char sign = _rest[0];
        _rest = _rest[1..];
        if (sign is 'Z' or 'z')
            return local with { Kind = TomlMomentKind.OffsetDateTime };

        int hours = Digits(2);
        Expect(':');
        int minutes = Digits(2);
        _failed |= sign is not ('+' or '-') || hours > 23 || minutes > 59;
        int offset = hours * 60 + minutes;
        return local with { Kind = TomlMomentKind.OffsetDateTime, OffsetMinutes = sign == '-' ? -offset : offset };
    }

    private int Digits(int count)
    {
        if (_failed || _rest.Length < count || _rest[..count].IndexOfAnyExceptInRange('0', '9') >= 0)
        {
            _failed = true;
            return 0;
        }

        int value = int.Parse(_rest[..count], System.Globalization.CultureInfo.InvariantCulture);
        _rest = _rest[count..];
        return value;
    }

    private void Expect(char separator)
    {
        if (_rest.IsEmpty || _rest[0] != separator)
            _failed = true;
        else
            _rest = _rest[1..];
    }
}
