using Tunnel.App.Config;
using Tunnel.App.Hosting;

namespace Tunnel.Ctl.Verbs;

/// <summary>The file that a verb was given: its configuration, or every problem of it on standard error.</summary>
internal static class ConfigFile
{
    /// <exception cref="StartException">The file is wrong or cannot be read.</exception>
    public static T Require<T>(ConfigResult<T> loaded)
        where T : class
    {
        if (loaded.Warnings.Count != 0)
            Console.Error.WriteLine(loaded.DescribeWarnings());
        return loaded.Config ?? throw new StartException(ExitCode.Configuration, loaded.DescribeProblems());
    }
}
