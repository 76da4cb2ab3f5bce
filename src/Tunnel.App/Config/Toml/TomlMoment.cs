namespace Tunnel.App.Config.Toml;

/// <summary>
/// A date, a time, or both, as written. Fields rather than <see cref="DateTime"/>, which has neither the year 0 nor leap seconds,
/// and counts in 100 ns. Fields that the kind does not have are 0.
/// </summary>
/// <param name="Kind">Which of the fields mean something.</param>
/// <param name="Year">0 to 9999.</param>
/// <param name="Month">1 to 12.</param>
/// <param name="Day">1 to the month's last.</param>
/// <param name="Hour">0 to 23.</param>
/// <param name="Minute">0 to 59.</param>
/// <param name="Second">0 to 60.</param>
/// <param name="Nanosecond">Further digits are cut off, as the specification asks.</param>
/// <param name="OffsetMinutes">East of UTC.</param>
public readonly record struct TomlMoment(
    TomlMomentKind Kind,
    int Year = 0,
    int Month = 0,
    int Day = 0,
    int Hour = 0,
    int Minute = 0,
    int Second = 0,
    int Nanosecond = 0,
    int OffsetMinutes = 0);

public enum TomlMomentKind
{
    OffsetDateTime,
    LocalDateTime,
    LocalDate,
    LocalTime,
}
