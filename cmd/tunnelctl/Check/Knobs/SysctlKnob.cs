namespace Tunnel.Ctl.Check.Knobs;

/// <summary>A file under /proc/sys.</summary>
/// <param name="name">As sysctl names it: net.core.somaxconn.</param>
/// <param name="wish">What it should be.</param>
/// <param name="why">One clause.</param>
/// <param name="show">How people read a value; null: as it is.</param>
internal sealed class SysctlKnob(string name, Func<CheckContext, Wish> wish, string why, Func<string, string>? show = null) : Knob
{
    public override string Name => name;

    public override string Why => why;

    public string Path => $"/proc/sys/{name.Replace('.', '/')}";

    public override Reading Read(CheckContext context) => context.Files.Read(Path);

    public override Judgement Judge(CheckContext context, Reading now) => wish(context).Judge(now);

    /// <summary>Where there are numbers now, there have to be as many.</summary>
    public override string? Objection(Reading now, string value) =>
        now.Words is { Length: not 0 } words && now.TryNumbers(words.Length, out _, out _) && !new Reading(value, null).TryNumbers(words.Length, out _, out string problem)
            ? $"{name}: {problem}" : null;

    public override string Command(CheckContext context, string value) =>
        value.Contains(' ') ? $"sysctl -w {name}=\"{value}\"" : $"sysctl -w {name}={value}";

    public override string? Write(CheckContext context, string value) => context.Files.Write(Path, value);

    public override string Show(CheckContext context, string value) => show?.Invoke(value) ?? value;
}
