using System.Text;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config;

/// <summary>One thing that is wrong with a file.</summary>
/// <param name="Line">From 1; 0 if it is about the file and no place in it.</param>
/// <param name="Column">In characters from 1; 0 if <paramref name="Line"/> is.</param>
/// <param name="Key">The whole key, as transport.kcp.mtu; empty if there is none.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Allowed">What would be right; null if <paramref name="What"/> says it.</param>
public sealed record ConfigProblem(int Line, int Column, string Key, string What, string? Allowed)
{
    internal ConfigProblem(TomlPosition position, string key, string what, string? allowed = null)
        : this(position.Line, position.Column, key, what, allowed)
    {
    }

    /// <summary>As compilers print it: the file and place first, so that editors can jump there.</summary>
    public string ToString(string fileName)
    {
        var text = new StringBuilder(fileName);
        if (Line > 0)
            text.Append($":{Line}:{Column}");
        text.Append(": ");
        if (Key.Length > 0)
            text.Append($"{Key}: ");
        text.Append(What);
        if (Allowed is not null)
            text.Append($"; allowed: {Allowed}");
        return text.ToString();
    }

    public override string ToString() => ToString("config");
}
