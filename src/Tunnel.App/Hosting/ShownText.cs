namespace Tunnel.App.Hosting;

/// <summary>The configuration in force as an operator may see it. Whoever reads it takes no lock.</summary>
internal sealed class ShownText(string first)
{
    private volatile string _now = first;

    public string Now => _now;

    public void Set(string text) => _now = text;
}
