namespace Tunnel.App.Hosting;

/// <summary>A client or a server as the process that holds it sees it.</summary>
/// <typeparam name="T">Its configuration.</typeparam>
internal interface ITunnelHost<in T>
{
    /// <summary>What ended it, as an exit code.</summary>
    int GetResult();

    /// <summary>
    /// Follows the keys of <paramref name="next"/> that are live; all others stay as they were at the start. One caller at a time, while
    /// it runs.
    /// </summary>
    void Apply(T next);
}
